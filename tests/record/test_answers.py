"""Readers who left an address: asked, told once, erased; by a real SMTP server and a set clock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from service import intake
from service.db import Database, new_id
from service.desk import changes, moves, splits, undo
from service.desk.moves import By, Decision
from service.dispatch import outlets, results
from service.dispatch.client import Client
from service.dispatch.parcels import Carriers
from service.dispatch.results import Result
from service.dispatch.to_webhooks import Contents
from service.intake import NewReport
from service.letters import PLAIN
from service.models import Correction, Kind, Letter, Report, Site, State
from service.record import answers, publications
from service.record.correspondence import Correspondence
from service.record.publications import Entry
from service.settings import Settings
from tests.conftest import ORIGIN, Clock
from tests.dispatch.mailbox import Mailbox, receiving
from tests.racing import at_once

SECRET = "a secret for tests"
EDITOR = By("editor@news.example")
READER = "reader@example.org"
HOLD = timedelta(seconds=600)


@dataclass
class Newsroom:
    """Readers report, editors decide, the worker's turn comes when it is called."""

    database: Database
    site: Site
    clock: Clock
    settings: Settings
    carriers: Carriers
    mailbox: Mailbox

    def report(self, email: str | None = READER, exact: str = "wrold", **more: Any) -> UUID:
        """A report; gives back its id."""
        fields = {"suggestion": f"{exact} mended", "lang": "en", "title": "The bus", **more}
        new = NewReport(f"{ORIGIN}/a", exact=exact, email=email, **fields)
        with self.database.write() as session:
            made = intake.submit(
                session, self.site, new, key=uuid4().hex, secret=SECRET, now=self.clock()
            )
        return made.report_id

    def correction(self, report_id: UUID) -> UUID:
        with self.database.read() as session:
            return session.get_one(Report, report_id).correction_id

    def decide(self, report_id: UUID, to: State, note: str | None = None) -> None:
        with self.database.write() as session:
            moves.decide(
                session,
                self.site.id,
                self.correction(report_id),
                Decision(to, reason="between us", public_note=note),
                by=EDITOR,
                now=self.clock(),
            )

    def undo(self, report_id: UUID) -> None:
        with self.database.write() as session:
            undo.undo(
                session, self.site.id, self.correction(report_id), by=EDITOR, now=self.clock()
            )

    def work(self) -> list[EmailMessage]:
        """The worker's turn: what mail came of it."""
        before, readers = len(self.mailbox.raw), Correspondence(self.settings, self.clock)
        readers.tend(self.database)
        writers, worker_id, now = {**PLAIN, **readers.writers}, new_id(), self.clock()
        with self.database.write() as session:
            due = outlets.due(session, now=now, contents=Contents(), writers=writers, has_mail=True)
            tasks = [
                task
                for take in due.values()
                for task in take(session, worker_id=worker_id, now=now, limit=1000)
            ]
        for task in tasks:
            request, outcome = task.parcel.send(self.carriers, now)
            with self.database.write() as session:
                ended = [Result(task, now, 0.0, request, outcome)]
                results.record(session, ended, worker_id=worker_id, now=now, writers=writers)
        return self.mailbox.messages[before:]

    def mark(self, email: str = READER) -> str:
        return answers.mark(SECRET, self.site.id, email)

    def agree(self, email: str = READER) -> None:
        with self.database.write() as session:
            given, now = self.mark(email), self.clock()
            answers.confirm(session, self.site, given, secret=SECRET, now=now)

    def stop(self, email: str = READER) -> None:
        with self.database.write() as session:
            given, now = self.mark(email), self.clock()
            answers.stop(session, self.site, given, secret=SECRET, now=now)

    def agreed(self, **fields: Any) -> UUID:
        """A report whose reader was asked and has agreed."""
        report_id = self.report(**fields)
        assert [message["To"] for message in self.work()] == [READER]
        self.agree()
        return report_id

    def kept(self) -> list[str | None]:
        """Every address that is anywhere: of reports, of letters."""
        with self.database.read() as session:
            return [
                *session.scalars(select(Report.email).order_by(Report.id)),
                *session.scalars(select(Letter.recipient).order_by(Letter.id)),
            ]


@pytest.fixture
def newsroom(
    database: Database, site: Site, settings: Settings, clock: Clock
) -> Iterator[Newsroom]:
    client = Client(settings.webhook_allow_networks)
    with receiving() as mailbox:
        with_mail = replace(settings, smtp_url=mailbox.url, mail_from="desk@news.example")
        carriers = Carriers.of(with_mail, client)
        yield Newsroom(database, site, clock, with_mail, carriers, mailbox)
    client.close()


def said(message: EmailMessage) -> str:
    """The text, whatever is different each time taken out."""
    text = str(message.get_content()).replace("\r\n", "\n")
    text = re.sub(r"/mail/the-daily/[\w-]{43}", "/mail/the-daily/MARK", text)
    return re.sub(r"/r/[\w-]{43}", "/r/TOKEN", text)


def test_reader_is_asked_without_a_word_of_the_report(newsroom: Newsroom) -> None:
    newsroom.report(exact="Buy pills", comment="at https://evil.example", title="Pills")
    [question] = newsroom.work()
    assert question["To"] == READER
    assert question["Subject"] == "The Daily: shall we tell you what becomes of your correction?"
    assert said(question) == (
        "Somebody, most likely you, reported a mistake to The Daily and left this address "
        "to hear what becomes of it.\n\n"
        "If it was you, open this page and confirm:\n"
        "https://corrections.example/mail/the-daily/MARK?locale=en\n\n"
        "If it was not you, nothing has to be done: you will not be written to about it, and "
        "the address is erased within 90 days.\n\n"
        "-- \nNo more messages from The Daily: "
        "https://corrections.example/mail/the-daily/MARK/stop?locale=en\n"
    )
    stop = f"https://corrections.example/mail/the-daily/{newsroom.mark()}/stop?locale=en"
    assert question["List-Unsubscribe"].replace("\r\n", "") == f"<{stop}>"
    assert question["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert newsroom.work() == []


def test_reader_who_agreed_is_told_once_after_the_hold(newsroom: Newsroom) -> None:
    report_id = newsroom.agreed()
    newsroom.report(None, suggestion="other words", comment="another reader")
    newsroom.decide(report_id, State.REJECTED, "It is spelt\nlike this.")
    newsroom.clock.at += HOLD - timedelta(seconds=1)
    assert newsroom.work() == []
    newsroom.clock.advance(seconds=1)
    [answer] = newsroom.work()
    assert answer["Subject"] == "The Daily: what became of your correction"
    assert said(answer) == (
        "You reported a mistake to The Daily. The editors have read it and leave the text as it "
        "is. Thank you for writing.\n\n"
        "The article: The bus\nhttps://news.example/a\n\n"
        "You wrote:\n> “wrold” → “wrold mended”\n\n"
        "The editors say:\n> It is spelt\n> like this.\n\n"
        "Your receipt:\nhttps://corrections.example/r/TOKEN?locale=en\n\n"
        "-- \nThis is the only message about it: your address is erased now.\n"
        "No more messages from The Daily: "
        "https://corrections.example/mail/the-daily/MARK/stop?locale=en\n"
    )
    assert set(newsroom.kept()) == {None}
    newsroom.clock.advance(days=1)
    assert newsroom.work() == []


def test_reader_who_did_not_answer_is_told_nothing(newsroom: Newsroom) -> None:
    report_id = newsroom.report()
    assert len(newsroom.work()) == 1
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.advance(days=3)
    assert newsroom.work() == []
    assert READER in newsroom.kept()


def test_reader_who_agrees_late_is_told_then(newsroom: Newsroom) -> None:
    report_id = newsroom.report()
    newsroom.work()
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.advance(days=3)
    newsroom.agree()
    [answer] = newsroom.work()
    assert answer["Subject"] == "The Daily: your correction was made. Thank you!"


def test_undo_within_the_hold_leaves_nothing_to_tell(newsroom: Newsroom) -> None:
    report_id = newsroom.agreed()
    newsroom.decide(report_id, State.REJECTED)
    newsroom.clock.advance(seconds=599)
    newsroom.undo(report_id)
    newsroom.clock.advance(days=1)
    assert newsroom.work() == []
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    assert len(newsroom.work()) == 1


def test_undo_before_the_letter_leaves_gives_the_address_back(newsroom: Newsroom) -> None:
    report_id = newsroom.agreed()
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    Correspondence(newsroom.settings, newsroom.clock).tend(newsroom.database)
    assert newsroom.kept() == [None, None, READER]
    newsroom.undo(report_id)
    assert newsroom.work() == []
    assert newsroom.kept() == [READER, None, None]
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    assert len(newsroom.work()) == 1


def test_decision_made_anew_before_the_letter_leaves_is_told_after_its_own_hold(
    newsroom: Newsroom,
) -> None:
    report_id = newsroom.agreed()
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    Correspondence(newsroom.settings, newsroom.clock).tend(newsroom.database)
    newsroom.clock.advance(minutes=2)
    newsroom.undo(report_id)
    newsroom.decide(report_id, State.REJECTED)
    newsroom.clock.at += HOLD - timedelta(seconds=1)
    assert newsroom.work() == []
    newsroom.clock.advance(seconds=1)
    [answer] = newsroom.work()
    assert answer["Subject"] == "The Daily: what became of your correction"


def test_published_while_accepted_counts_as_corrected(newsroom: Newsroom) -> None:
    report_id = newsroom.agreed()
    newsroom.decide(report_id, State.ACCEPTED)
    newsroom.clock.advance(days=1)
    assert newsroom.work() == []
    with newsroom.database.write() as session:
        entry = Entry(Kind.CORRECTION, "wrold", "world")
        made = publications.publish(
            session,
            newsroom.site.id,
            newsroom.correction(report_id),
            entry,
            by=EDITOR.label,
            now=newsroom.clock(),
        )
    newsroom.clock.at += HOLD
    [answer] = newsroom.work()
    link = f"In the public record of corrections:\nhttps://corrections.example/record/the-daily/{made.id}"
    assert link in said(answer)


def test_spam_is_told_to_nobody(newsroom: Newsroom) -> None:
    report_id = newsroom.agreed()
    newsroom.decide(report_id, State.SPAM)
    newsroom.clock.advance(days=2)
    assert newsroom.work() == []


def test_report_of_what_repeats_another_is_told_of_the_other(newsroom: Newsroom) -> None:
    report_id, other = newsroom.agreed(), newsroom.report(None, exact="the other")
    with newsroom.database.write() as session:
        changes.change(
            session,
            newsroom.site.id,
            newsroom.correction(report_id),
            {"duplicate_of": newsroom.correction(other)},
            by=EDITOR,
            now=newsroom.clock(),
        )
    newsroom.decide(report_id, State.REJECTED)
    newsroom.clock.advance(days=1)
    assert newsroom.work() == []
    newsroom.decide(other, State.FIXED, "As somebody else wrote.")
    newsroom.clock.at += HOLD
    [answer] = newsroom.work()
    assert "> As somebody else wrote." in said(answer)
    assert "the other" not in said(answer)


def join(newsroom: Newsroom, report_id: UUID, other: UUID | None) -> None:
    with newsroom.database.write() as session:
        changes.change(
            session,
            newsroom.site.id,
            newsroom.correction(report_id),
            {"duplicate_of": newsroom.correction(other) if other else None},
            by=EDITOR,
            now=newsroom.clock(),
        )


@pytest.mark.parametrize("is_parted", [False, True])
def test_reader_of_what_is_joined_to_an_old_decision_is_told_after_the_hold(
    newsroom: Newsroom, is_parted: bool
) -> None:
    report_id, between, other = (
        newsroom.agreed(exact="third"),
        newsroom.report(None, exact="fourth"),
        newsroom.report(None, exact="fifth"),
    )
    join(newsroom, report_id, between)
    newsroom.decide(report_id if is_parted else other, State.REJECTED)
    newsroom.clock.advance(hours=5)
    assert newsroom.work() == []
    if is_parted:
        join(newsroom, report_id, None)
    else:
        join(newsroom, between, other)
    newsroom.clock.at += HOLD - timedelta(seconds=1)
    assert newsroom.work() == []
    newsroom.clock.advance(seconds=1)
    assert len(newsroom.work()) == 1


def test_reader_of_what_is_put_back_to_an_old_decision_is_told_after_the_hold(
    newsroom: Newsroom,
) -> None:
    report_id, other = newsroom.agreed(), newsroom.report(None, suggestion="other words")
    assert newsroom.correction(report_id) == newsroom.correction(other)
    with newsroom.database.write() as session:
        made = splits.split(
            session,
            newsroom.site.id,
            newsroom.correction(other),
            [report_id],
            by=EDITOR,
            now=newsroom.clock(),
        )
    newsroom.decide(other, State.REJECTED)
    newsroom.clock.advance(hours=5)
    assert newsroom.work() == []
    with newsroom.database.write() as session:
        splits.put_back(session, newsroom.site.id, made.id, by=EDITOR, now=newsroom.clock())
    newsroom.clock.at += HOLD - timedelta(seconds=1)
    assert newsroom.work() == []
    newsroom.clock.advance(seconds=1)
    assert len(newsroom.work()) == 1


def test_corrections_that_repeat_each_other_keep_nobody_waiting_for_ever(
    newsroom: Newsroom,
) -> None:
    report_id, other = newsroom.agreed(), newsroom.report(None, exact="the other")
    newsroom.decide(other, State.REJECTED)
    with newsroom.database.write() as session:
        for one, two in ((report_id, other), (other, report_id)):
            session.execute(
                update(Correction)
                .where(Correction.id == newsroom.correction(one))
                .values(duplicate_of=newsroom.correction(two))
            )
    newsroom.clock.at += HOLD
    assert len(newsroom.work()) == 1


def test_workers_that_look_at_once_ask_and_tell_once(newsroom: Newsroom) -> None:
    first = newsroom.report()
    newsroom.report("other@example.org", exact="another mistake")
    readers = Correspondence(newsroom.settings, newsroom.clock)
    assert at_once(lambda: readers.tend(newsroom.database), 4) == [None] * 4
    assert sorted(message["To"] for message in newsroom.work()) == ["other@example.org", READER]
    newsroom.agree()
    newsroom.decide(first, State.FIXED)
    newsroom.clock.at += HOLD
    assert at_once(lambda: readers.tend(newsroom.database), 4) == [None] * 4
    assert [message["To"] for message in newsroom.work()] == [READER]


def test_open_question_is_not_asked_twice_and_its_answer_counts_for_all(newsroom: Newsroom) -> None:
    reports = [newsroom.report(exact=f"mistake {number}") for number in range(3)]
    assert len(newsroom.work()) == 1
    newsroom.agree()
    for report_id in reports:
        newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    assert len(newsroom.work()) == 3


@pytest.mark.parametrize("again", [READER, "READER@example.org", "rea.der+news@example.org"])
def test_mailbox_is_asked_three_times_a_day_at_most(newsroom: Newsroom, again: str) -> None:
    asked = 0
    for number in range(5):
        newsroom.report(again, exact=f"mistake {number}")
        asked += len(newsroom.work())
        newsroom.agree(again)
    assert asked == answers.LETTERS_A_DAY
    newsroom.report(exact="one more")
    assert newsroom.work() == []
    newsroom.clock.advance(days=1, seconds=1)
    newsroom.work()
    newsroom.report(again, exact="the next day")
    assert len(newsroom.work()) == 1


def test_site_asks_so_many_an_hour_and_the_others_wait(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LETTERS_AN_HOUR", 2)
    for number in range(3):
        newsroom.report(f"{number}@example.org", exact=f"mistake {number}")
    assert len(newsroom.work()) == 2
    assert newsroom.work() == []
    newsroom.clock.advance(hours=1)
    assert [message["To"] for message in newsroom.work()] == ["2@example.org"]


def test_suspected_report_is_asked_about_once_it_is_freed(newsroom: Newsroom) -> None:
    report_id = newsroom.report(website="https://spam.example")
    assert newsroom.work() == []
    with newsroom.database.write() as session:
        correction = session.get_one(Correction, newsroom.correction(report_id))
        correction.suspected = False
    assert len(newsroom.work()) == 1


def test_report_that_is_old_when_it_comes_is_not_asked_about(newsroom: Newsroom) -> None:
    newsroom.report()
    newsroom.clock.at += answers.ASKED_WITHIN + timedelta(seconds=1)
    assert newsroom.work() == []
    newsroom.clock.at -= timedelta(days=1)
    assert newsroom.work() == []


def test_stop_erases_the_address_wherever_it_is(newsroom: Newsroom) -> None:
    first = newsroom.agreed()
    newsroom.report(exact="another mistake")
    newsroom.report("other@example.org", exact="of another reader")
    newsroom.decide(first, State.FIXED)
    newsroom.clock.at += HOLD
    Correspondence(newsroom.settings, newsroom.clock).tend(newsroom.database)
    assert newsroom.kept().count(READER) == 3
    newsroom.stop()
    assert READER not in newsroom.kept()
    assert [message["To"] for message in newsroom.work()] == ["other@example.org"]


def test_mark_of_one_site_is_worth_nothing_on_another(newsroom: Newsroom, other_site: Site) -> None:
    newsroom.agreed()
    with newsroom.database.write() as session:
        answers.stop(session, other_site, newsroom.mark(), secret=SECRET, now=newsroom.clock())
        found = answers.waiting(session, other_site, newsroom.mark(), secret=SECRET)
    assert found == answers.Waiting(0, 0)
    assert READER in newsroom.kept()


@pytest.mark.parametrize("is_asked", [False, True])
def test_address_is_erased_after_the_retention(newsroom: Newsroom, is_asked: bool) -> None:
    with newsroom.database.write() as session:
        session.execute(update(Site).values(email_retention_days=7))
    newsroom.report()
    if is_asked:
        newsroom.agreed(exact="another mistake")
    newsroom.clock.advance(days=7)
    newsroom.work()
    assert READER in newsroom.kept()
    newsroom.clock.advance(seconds=1)
    newsroom.work()
    assert READER not in newsroom.kept()


def test_letter_that_cannot_leave_is_erased_after_the_retention(newsroom: Newsroom) -> None:
    report_id = newsroom.agreed()
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    Correspondence(newsroom.settings, newsroom.clock).tend(newsroom.database)
    newsroom.clock.advance(days=90)
    without = replace(newsroom.settings, smtp_url=None)
    Correspondence(without, newsroom.clock).tend(newsroom.database)
    assert set(newsroom.kept()) == {None}


def test_what_counted_the_letters_is_erased_after_a_day(newsroom: Newsroom) -> None:
    newsroom.agreed()
    newsroom.clock.advance(days=1)
    newsroom.work()
    with newsroom.database.read() as session:
        assert session.scalars(select(Report.email_hash)).all() == [None]


def test_without_a_mail_server_nobody_is_asked(newsroom: Newsroom) -> None:
    newsroom.report()
    without = replace(newsroom.settings, smtp_url=None)
    Correspondence(without, newsroom.clock).tend(newsroom.database)
    assert newsroom.kept() == [READER]


@pytest.mark.parametrize(
    ("lang", "subject"),
    [
        ("uk", "The Daily: вашу поправку внесено. Дякуємо!"),
        ("ar-EG", "The Daily: أُجري تصحيحك. شكرًا لك!"),
        ("tlh", "The Daily: your correction was made. Thank you!"),
    ],
)
def test_answer_is_in_the_language_that_was_read(
    newsroom: Newsroom, lang: str, subject: str
) -> None:
    report_id = newsroom.agreed(lang=lang)
    newsroom.decide(report_id, State.FIXED)
    newsroom.clock.at += HOLD
    [answer] = newsroom.work()
    assert answer["Subject"] == subject
