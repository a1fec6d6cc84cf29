"""Letters through the worker and a real SMTP server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import letters
from service.db import Database, new_id
from service.dispatch.worker import Worker
from service.letters import Composed, Writer
from service.models import Delivery, DeliveryState, Letter, Site
from service.settings import Settings
from tests.dispatch.conftest import Subscribe, Tell, state_of
from tests.dispatch.mailbox import Mailbox, receiving
from tests.dispatch.receivers import Receiver
from tests.servers import wait_until

Work = Callable[..., AbstractContextManager[Worker]]
Write = Callable[..., UUID]

AT_ONCE = (timedelta(0),) * 7
SAYS = {"subject": "Decided", "text": "Thank you."}


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    return replace(
        settings, smtp_url=f"smtp://127.0.0.1:{mailbox.port}", mail_from="desk@news.example"
    )


@pytest.fixture
def write(database: Database, site: Site) -> Write:
    """Enqueues a letter; gives back its id."""

    def write(kind: str = letters.NOTICE, to: str = "reader@example.org", **more: Any) -> UUID:
        with database.write() as session:
            now = datetime.now(UTC)
            return letters.enqueue(session, site.id, kind, to, SAYS, now=now, **more).id

    return write


def kept(database: Database) -> list[tuple[str | None, dict[str, Any]]]:
    with database.read() as session:
        rows = session.execute(select(Letter.recipient, Letter.data).order_by(Letter.id))
        return [(recipient, data) for recipient, data in rows]


def states(database: Database) -> list[DeliveryState]:
    return [delivery.state for delivery in state_of(database)[0]]


def test_run_sends_a_letter_once_and_erases_it(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    letter_id = write()
    assert kept(database) == [("reader@example.org", SAYS)]
    with work():
        mailbox.wait_for(1)
    [got] = mailbox.messages
    assert (got["Message-ID"], got["Subject"]) == (f"<{letter_id}@news.example>", "Decided")
    assert kept(database) == [(None, {})]
    [delivery], [attempt] = state_of(database)
    assert (delivery.state, delivery.attempt_count) == (DeliveryState.DELIVERED, 1)
    assert (attempt.status, attempt.error) == (250, None)


def test_run_sends_again_under_the_same_id(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    mailbox.replies += ["451 Later", "421 Much later"]
    letter_id = write()
    with work(delays=AT_ONCE):
        mailbox.wait_for(1)
    assert [got["Message-ID"] for got in mailbox.messages] == [f"<{letter_id}@news.example>"]
    _, attempts = state_of(database)
    assert [attempt.error for attempt in attempts] == [
        "refused: 451 Later",
        "refused: 421 Much later",
        None,
    ]


def test_run_mailbox_that_is_not_there_ends_it(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    mailbox.replies += ["550 No such mailbox"]
    write()
    with work(delays=AT_ONCE):
        wait_until(lambda: states(database) == [DeliveryState.FAILED], 10, "given up")
    assert len(state_of(database)[1]) == 1
    assert kept(database) == [(None, {})]


def test_run_waits_until_it_may_go(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    later = write(send_at=datetime.now(UTC) + timedelta(minutes=10))
    now = write()
    with work():
        mailbox.wait_for(1)
    assert [got["Message-ID"] for got in mailbox.messages] == [f"<{now}@news.example>"]
    with database.read() as session:
        held = session.scalars(select(Delivery).where(Delivery.letter_id == later)).one()
    assert (held.state, held.attempt_count, held.leased_by) == (DeliveryState.PENDING, 0, None)


def test_run_asks_the_writer_when_it_is_sent(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    ended: list[tuple[str | None, DeliveryState]] = []

    def compose(_session: Session, letter: Letter) -> Composed | None:
        wanted = letter.recipient == "reader@example.org"
        return Composed("Now", "As it is now", "https://x.example/stop") if wanted else None

    def end(_session: Session, letter: Letter, state: DeliveryState, _now: datetime) -> None:
        ended.append((letter.recipient, state))

    write("decided", "undone@example.org")
    write("decided")
    with work(writers={"decided": Writer(compose, end)}):
        mailbox.wait_for(1)
    [got] = mailbox.messages
    assert (got["Subject"], got["List-Unsubscribe"]) == ("Now", "<https://x.example/stop>")
    assert ended == [
        ("undone@example.org", DeliveryState.DROPPED),
        ("reader@example.org", DeliveryState.DELIVERED),
    ]
    assert states(database) == [DeliveryState.DROPPED, DeliveryState.DELIVERED]
    assert kept(database) == [(None, {}), (None, {})]


def test_run_letter_that_cannot_be_composed_holds_up_no_other(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    write("a kind that nobody writes")
    second = write()
    with work(delays=()):
        mailbox.wait_for(1)
    assert [got["Message-ID"] for got in mailbox.messages] == [f"<{second}@news.example>"]
    _, attempts = state_of(database)
    assert sorted(str(attempt.error) for attempt in attempts) == ["None", "internal: KeyError"]


def test_cancel_drops_what_waits_about_a_subject(
    write: Write, work: Work, mailbox: Mailbox, database: Database
) -> None:
    subject = new_id()
    write("decided", subject_id=subject)
    write(letters.NOTICE, subject_id=subject)
    with database.write() as session:
        assert letters.cancel(session, subject, kind="decided", now=datetime.now(UTC)) == 1
        assert letters.cancel(session, new_id(), now=datetime.now(UTC)) == 0
    assert kept(database) == [(None, {}), ("reader@example.org", SAYS)]
    with work():
        mailbox.wait_for(1)
    assert states(database) == [DeliveryState.DROPPED, DeliveryState.DELIVERED]
    with database.write() as session:
        assert letters.cancel(session, subject, now=datetime.now(UTC)) == 0


def test_run_without_a_server_letters_wait(
    write: Write,
    work: Work,
    settings: Settings,
    receiver: Receiver,
    subscribe: Subscribe,
    tell: Tell,
    database: Database,
) -> None:
    write()
    subscribe(receiver.url)
    tell()
    with work(settings=replace(settings, smtp_url=None)):
        receiver.wait_for(1)
    assert states(database) == [DeliveryState.PENDING, DeliveryState.DELIVERED]
