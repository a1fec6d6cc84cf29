import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from service.db import Database
from service.desk import changes, moves, queue, revisions
from service.desk.filters import Filters
from service.desk.moves import By, Decision
from service.desk.revisions import NewText, Pushed
from service.errors import InvalidFields
from service.models import (
    AnchorState,
    Article,
    Correction,
    Document,
    Event,
    Revision,
    Site,
    State,
)
from tests.conftest import ORIGIN
from tests.racing import wait_for_waiting
from tests.reporting import report

LEAD = "The council met on Monday and talked for three hours about the buses of the town."
MISTAKE = "Passengers who hold a pass will recieve the night service at no additional cost."
END = "A decision is to follow before the first of March, the operator of the buses said."
TEXT = f"{LEAD}\n\n{MISTAKE}\n\n{END}"
FIXED = TEXT.replace("recieve", "receive")
AT = TEXT.index("recieve")


def push(
    database: Database, site: Site, text: str, now: datetime, url: str = f"{ORIGIN}/a", **more: Any
) -> Pushed:
    with database.write() as session:
        return revisions.push(session, site, NewText(url, text, **more), now=now)


def told(pushed: Pushed) -> tuple[int, int, int, int, int, int]:
    return (
        pushed.kept,
        pushed.moved,
        pushed.changed,
        pushed.orphaned,
        len(pushed.fixed),
        len(pushed.reopened),
    )


def passage(exact: str, text: str = TEXT) -> dict[str, Any]:
    """What the widget sends of these words."""
    at = text.index(exact)
    return {
        "exact": exact,
        "prefix": text[max(0, at - 64) : at],
        "suffix": text[at + len(exact) : at + len(exact) + 64],
        "start": at,
    }


def kept(database: Database, site: Site, correction_id: UUID) -> Correction:
    with database.read() as session:
        return changes.find(session, site.id, correction_id)


def history(database: Database, correction_id: UUID) -> list[tuple[State, State, str]]:
    with database.read() as session:
        return [
            (move.from_state, move.to_state, move.by)
            for move in moves.history(session, correction_id)
        ]


@pytest.fixture
def correction_id(database: Database, site: Site, now: datetime) -> UUID:
    return report(database, site, now, **passage("recieve"), suggestion="receive")


def test_text_with_the_mistake_keeps_the_correction(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    pushed = push(database, site, TEXT, now)
    assert (pushed.revision, told(pushed)) == (1, (1, 0, 0, 0, 0, 0))
    assert kept(database, site, correction_id).version == 1


def test_applied_suggestion_fixes_the_correction(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    push(database, site, TEXT, now)
    pushed = push(database, site, FIXED, now)
    assert (pushed.revision, pushed.fixed, told(pushed)) == (2, [correction_id], (0, 0, 0, 0, 1, 0))
    found = kept(database, site, correction_id)
    assert (found.state, found.anchor_start, found.anchor_end) == (State.FIXED, AT, AT + 7)
    assert history(database, correction_id) == [(State.NEW, State.FIXED, "revision")]
    with database.read() as session:
        event = session.scalars(select(Event).where(Event.type == "correction.fixed")).one()
    assert event.data["state"] == "fixed"


def test_words_added_stay_fixed_when_words_beside_them_change(
    database: Database, site: Site, now: datetime
) -> None:
    text = "The stadium by the river cost twelve million and opened in the spring of last year."
    found = report(database, site, now, **passage("million", text), suggestion="million euros")
    added = text.replace("million", "million euros")
    assert push(database, site, added, now).fixed == [found]
    assert push(database, site, added.replace("euros and", "euros but"), now).reopened == []
    assert kept(database, site, found).state is State.FIXED


def test_longer_word_that_begins_like_the_suggestion_fixes_nothing(
    database: Database, site: Site, now: datetime
) -> None:
    found = report(database, site, now, **passage("first"), suggestion="fir")
    assert push(database, site, TEXT.replace("first", "firm"), now).fixed == []
    assert kept(database, site, found).state is State.NEW


def test_final_wording_counts_as_a_suggestion(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    with database.write() as session:
        decision = Decision(State.ACCEPTED, wording="get")
        moves.decide(session, site.id, correction_id, decision, by=By("token:t"), now=now)
    assert push(database, site, TEXT.replace("recieve", "get"), now).fixed == [correction_id]


def test_same_text_again_is_the_same_revision_and_moves_nothing(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    push(database, site, TEXT, now)
    first = push(database, site, "New first words.\n\n" + TEXT, now)
    version = kept(database, site, correction_id).version
    again = push(database, site, "New first words.\n\n" + TEXT, now)
    assert told(first) == (0, 1, 0, 0, 0, 0)
    assert (again.revision, told(again)) == (first.revision, (1, 0, 0, 0, 0, 0))
    assert kept(database, site, correction_id).version == version
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 2


def test_new_headline_of_the_same_text_is_taken(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    def title() -> str | None:
        with database.read() as session:
            return session.scalars(select(Article.title)).one()

    push(database, site, TEXT, now, title="A headline", published_at=now)
    push(database, site, TEXT, now, title="New headline")
    assert title() == "New headline"
    with database.read() as session:
        own = select(Document.text).where(Document.report_id.is_(None))
        assert "new headline" in session.scalars(own).one()
    earlier = now - timedelta(days=1)
    push(database, site, TEXT, now, title="Old headline", published_at=earlier)
    assert title() == "New headline"


@pytest.mark.parametrize("known", ["новини/т", "%d0%bd%d0%be%d0%b2%d0%b8%d0%bd%d0%b8/%D1%82"])
def test_article_is_one_in_every_spelling_of_its_address(
    database: Database, site: Site, now: datetime, known: str
) -> None:
    push(database, site, TEXT, now, f"{ORIGIN}/{known}")
    source = f"{ORIGIN}/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8/%D1%82"
    correction_id = report(
        database, site, now, source=source, **passage("recieve"), suggestion="receive"
    )
    with database.read() as session:
        found = queue.page(session, site.id, Filters(article=f"{ORIGIN}/{known}"), limit=9)
    assert list(found.ids) == [correction_id]
    assert push(database, site, FIXED, now, f"{ORIGIN}/{known}").fixed == [correction_id]


def test_moved_words_are_found_where_they_are_now(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    lead = "New first words.\n\n"
    assert told(push(database, site, lead + TEXT, now)) == (0, 1, 0, 0, 0, 0)
    found = kept(database, site, correction_id)
    assert (found.anchor_state, found.anchor_start, found.version) == (
        AnchorState.MOVED,
        AT + len(lead),
        2,
    )
    # Moved once, it stands still; and back home it has not moved at all.
    assert told(push(database, site, lead + TEXT + " Indeed.", now)) == (1, 0, 0, 0, 0, 0)
    assert kept(database, site, correction_id).anchor_state is AnchorState.MOVED
    assert told(push(database, site, TEXT, now)) == (0, 1, 0, 0, 0, 0)
    assert kept(database, site, correction_id).anchor_state is AnchorState.EXACT


def test_changed_and_lost_words_are_marked(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    assert told(push(database, site, TEXT.replace("recieve", "enjoy"), now)) == (0, 0, 1, 0, 0, 0)
    found = kept(database, site, correction_id)
    assert (found.state, found.anchor_state, found.anchor_start) == (
        State.NEW,
        AnchorState.CHANGED,
        AT,
    )
    assert told(push(database, site, f"{LEAD}\n\n{END}", now)) == (0, 0, 0, 1, 0, 0)
    found = kept(database, site, correction_id)
    assert (found.anchor_state, found.anchor_start) == (AnchorState.ORPHANED, None)
    assert told(push(database, site, TEXT, now))[3] == 0
    assert kept(database, site, correction_id).anchor_state is AnchorState.EXACT


def test_revert_reopens_what_a_revision_had_fixed(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    push(database, site, TEXT, now)
    push(database, site, FIXED, now)
    pushed = push(database, site, TEXT, now)
    assert (pushed.revision, pushed.reopened) == (3, [correction_id])
    assert history(database, correction_id) == [
        (State.NEW, State.FIXED, "revision"),
        (State.FIXED, State.NEW, "revision"),
    ]
    assert push(database, site, FIXED, now).fixed == [correction_id]
    with database.read() as session:
        told_of = session.scalars(select(Event.type).order_by(Event.id)).all()
    assert told_of[2:] == ["correction.fixed", "correction.reopened", "correction.fixed"]


def test_revert_leaves_alone_what_an_editor_had_fixed(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    with database.write() as session:
        decision = Decision(State.FIXED)
        moves.decide(session, site.id, correction_id, decision, by=By("token:t"), now=now)
    push(database, site, FIXED, now)
    assert push(database, site, TEXT, now).reopened == []
    assert kept(database, site, correction_id).state is State.FIXED


@pytest.mark.parametrize("state", [State.REJECTED, State.SPAM])
def test_decided_corrections_are_left_alone(
    database: Database, site: Site, now: datetime, correction_id: UUID, state: State
) -> None:
    with database.write() as session:
        moves.decide(session, site.id, correction_id, Decision(state), by=By("token:t"), now=now)
    assert told(push(database, site, FIXED, now)) == (0, 0, 0, 0, 0, 0)
    assert kept(database, site, correction_id).state is state


def test_suspected_correction_is_found_again_but_never_fixed(
    database: Database, site: Site, now: datetime
) -> None:
    trapped = report(
        database, site, now, **passage("recieve"), suggestion="receive", website="spam"
    )
    assert push(database, site, FIXED, now).fixed == []
    found = kept(database, site, trapped)
    assert (found.state, found.suspected, found.anchor_state) == (
        State.NEW,
        True,
        AnchorState.CHANGED,
    )


def test_text_published_earlier_than_the_newest_changes_nothing(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    push(database, site, FIXED, now, published_at=now, section="News", tags=("buses",))
    earlier = now - timedelta(minutes=1)
    late = push(database, site, TEXT, now, published_at=earlier, section="Other", tags=())
    assert (late.revision, late.reopened) == (1, [])
    with database.read() as session:
        article = session.scalars(select(Article)).one()
    assert (article.section, article.tags) == ("News", ["buses"])
    assert push(database, site, TEXT, now, published_at=now).revision == 2


def test_two_pushes_at_once_end_in_the_later_one(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    barrier = threading.Barrier(2)

    def race(text: str) -> tuple[int, str]:
        barrier.wait()
        return push(database, site, text, now).revision, text

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(race, [TEXT + " One.", FIXED + " Two."]))
    assert [number for number, _ in done] == [1, 2]
    with database.read() as session:
        article = kept(database, site, correction_id).article_id
        newest = revisions.latest(session, article)
    assert newest is not None
    assert (newest.number, newest.text) == done[1]
    is_fixed = "receive" in done[1][1]
    assert (kept(database, site, correction_id).state is State.FIXED) == is_fixed


@pytest.mark.parametrize(
    ("state", "then"), [(State.REJECTED, State.REJECTED), (State.ACCEPTED, State.FIXED)]
)
def test_push_meets_what_an_editor_decides_at_the_same_moment(
    database: Database,
    site: Site,
    now: datetime,
    correction_id: UUID,
    state: State,
    then: State,
) -> None:
    other = report(database, site, now, **passage("additional"), suggestion="extra")
    new_text = FIXED.replace("additional", "extra")
    by = By("token:t")
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            moves.decide(session, site.id, correction_id, Decision(state), by=by, now=now)
            pushed = pool.submit(push, database, site, new_text, now)
            wait_for_waiting(database)
        fixed = pushed.result().fixed
    assert fixed == ([correction_id, other] if then is State.FIXED else [other])
    assert kept(database, site, correction_id).state is then


def test_only_the_articles_own_corrections_are_touched(
    database: Database, site: Site, other_site: Site, now: datetime, correction_id: UUID
) -> None:
    elsewhere = report(database, site, now, source=f"{ORIGIN}/b", **passage("recieve"))
    assert push(database, site, FIXED, now, url=f"{ORIGIN}/b?utm_source=x").fixed == []
    pushed = push(database, site, FIXED, now)
    assert pushed.fixed == [correction_id]
    assert kept(database, site, elsewhere).state is State.NEW


@pytest.mark.parametrize("url", ["https://foreign.example/a", "https://news.example.evil/a"])
def test_address_of_another_host_is_refused(
    database: Database, site: Site, now: datetime, url: str
) -> None:
    with pytest.raises(InvalidFields) as refused:
        push(database, site, TEXT, now, url=url)
    assert refused.value.errors[0]["pointer"] == "/url"


def test_each_of_many_corrections_is_found_again(
    database: Database, site: Site, now: datetime
) -> None:
    words = [f"wrod{number}x" for number in range(40)]
    text = "\n\n".join(
        f"In sentence {number} of many stands {word} and nothing besides that."
        for number, word in enumerate(words)
    )
    for word in words:
        report(database, site, now, **passage(word, text), suggestion=word.replace("wrod", "word"))
    new_text = "A new beginning.\n\n" + text
    for word in words[:10]:
        new_text = new_text.replace(word, word.replace("wrod", "word"))
    assert told(push(database, site, new_text, now)) == (0, 30, 0, 0, 10, 0)


def test_what_arrives_after_the_search_ahead_is_found_too(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    text = FIXED.replace("no additional", "no extra")
    new = NewText(f"{ORIGIN}/a", text)
    with database.read() as session:
        searched = revisions.search(session, site, new)
    late = report(database, site, now, **passage("additional"), suggestion="extra")
    with database.write() as session:
        pushed = revisions.push(session, site, new, now=now, searched=searched)
    assert pushed.fixed == [correction_id, late]


def test_search_ahead_of_an_unknown_article_finds_nothing_and_makes_nothing(
    database: Database, site: Site, now: datetime
) -> None:
    with database.read() as session:
        revisions.search(session, site, NewText(f"{ORIGIN}/new", TEXT))
        with pytest.raises(InvalidFields):
            revisions.search(session, site, NewText("https://foreign.example/a", TEXT))
    assert push(database, site, TEXT, now, url=f"{ORIGIN}/new").revision == 1
