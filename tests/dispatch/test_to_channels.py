"""Channels through workers: one message for many events, retried as it is, disabled when it is over."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.db import Database, new_id
from service.dispatch import channel_settings, fan_out
from service.dispatch.channel_settings import Wishes
from service.dispatch.health import DEAD, GONE
from service.dispatch.worker import Worker
from service.models import Channel, DeliveryState, Editor, Event, Medium, Site, Webhook
from service.settings import Settings
from tests.dispatch.conftest import Subscribe, Tell, state_of
from tests.dispatch.mailbox import Mailbox, receiving
from tests.dispatch.receivers import Got, Receiver, running
from tests.servers import wait_until

Work = Callable[..., AbstractContextManager[Worker]]
Open = Callable[..., Channel]
Happen = Callable[..., None]

AT_ONCE = (timedelta(0),) * 7


@pytest.fixture
def open_channel(database: Database, site: Site) -> Open:
    def open_channel(url: str, medium: Medium = Medium.SLACK, **wishes: Any) -> Channel:
        target = {"address": url} if medium is Medium.MAIL else {"url": url}
        wanted = Wishes("Desk", wishes.pop("events", ["correction.*"]), **wishes)
        with database.write() as session:
            return channel_settings.create(
                session, site.id, medium, target, wanted, now=datetime.now(UTC)
            )

    return open_channel


@pytest.fixture
def happen(database: Database, site: Site) -> Happen:
    """Writes an event of a minute ago, and hands it out then."""

    def happen(kind: str = "correction.created", **more: Any) -> None:
        then = datetime.now(UTC) - timedelta(minutes=1)
        key = new_id()
        data = {"id": str(key), "article": {"url": "https://news.example/a", "title": "Buses"}}
        event = Event(
            site_id=site.id, type=kind, subject_id=key, data={**data, **more}, created_at=then
        )
        with database.write() as session:
            session.add(event)
            session.flush()
            fan_out.fan_out(session, now=then)

    return happen


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    return replace(settings, smtp_url=mailbox.url)


def headlines(receiver: Receiver) -> list[str]:
    with receiver.lock:
        return [json.loads(got.body)["text"] for got in receiver.got]


def test_run_many_events_one_message(
    receiver: Receiver, open_channel: Open, happen: Happen, work: Work, database: Database
) -> None:
    open_channel(receiver.url)
    for _ in range(12):
        happen()
    with work(), work():
        receiver.wait_for(1)
        wait_until(lambda: states(database) == {DeliveryState.DELIVERED}, 10, "all recorded")
    assert headlines(receiver) == ["12 corrections to “Buses”"]
    deliveries, attempts = state_of(database)
    assert len({delivery.message_id for delivery in deliveries}) == 1
    assert len(attempts) == 12


def test_run_message_that_failed_is_the_same_again(
    open_channel: Open, happen: Happen, work: Work, database: Database
) -> None:
    refusals = iter([(500, {}), (503, {})])

    def refuse_at_first(got: Got) -> tuple[int, dict[str, str]]:
        if b"Buses" not in got.body:
            return 200, {}
        happen(article={"url": "https://news.example/b", "title": "Rain"})
        return next(refusals, (200, {}))

    with running(Receiver(refuse_at_first)) as receiver:
        open_channel(receiver.url)
        happen()
        with work(delays=AT_ONCE):
            wait_until(lambda: len(state_of(database)[0]) == 4, 10, "all is handed out")
            wait_until(lambda: states(database) == {DeliveryState.DELIVERED}, 10, "all recorded")
    told = headlines(receiver)
    assert told.count("A correction to “Buses”") == 3
    assert len({got.body for got in receiver.got if b"Buses" in got.body}) == 1
    assert set(told) - {"A correction to “Buses”"} <= {
        "A correction to “Rain”",
        "2 corrections to “Rain”",
        "3 corrections to “Rain”",
    }


def test_run_mail_channel_can_be_stopped_by_one_click(
    mailbox: Mailbox, open_channel: Open, happen: Happen, work: Work
) -> None:
    channel = open_channel("desk@news.example", Medium.MAIL)
    happen()
    with work():
        [got] = mailbox.wait_for(1)
    assert got["To"] == "desk@news.example"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = got["List-Unsubscribe"]
    assert stop.startswith(f"<https://corrections.example/channels/{channel.id}/stop/")


def test_run_410_disables_a_channel_and_tells_the_admins(
    mailbox: Mailbox,
    admin: Editor,
    editor: Editor,
    other_site_editor: Editor,
    open_channel: Open,
    happen: Happen,
    work: Work,
    database: Database,
) -> None:
    with running(Receiver(lambda _got: (410, {}))) as receiver:
        channel = open_channel(receiver.url)
        happen()
        with work():
            [letter] = mailbox.wait_for(1)
    with database.read() as session:
        found = session.get_one(Channel, channel.id)
    assert (found.enabled, found.disabled_reason) == (False, GONE)
    assert letter["To"] == "admin@news.example"
    assert letter["Subject"] == "The Daily: nothing is sent to Desk any more"
    assert GONE in letter.get_content()
    assert (
        f"https://corrections.example/review/settings/channels/{channel.id}" in letter.get_content()
    )


def test_run_five_days_of_failure_tell_the_admins(
    mailbox: Mailbox,
    admin: Editor,
    subscribe: Subscribe,
    tell: Tell,
    work: Work,
    database: Database,
) -> None:
    with running(Receiver(lambda _got: (500, {}))) as receiver:
        webhook = subscribe(receiver.url)
        with database.write() as session:
            long_ago = datetime.now(UTC) - timedelta(days=5, minutes=1)
            session.get_one(Webhook, webhook.id).failing_since = long_ago
        tell()
        with work():
            [letter] = mailbox.wait_for(1)
    assert letter["To"] == "admin@news.example"
    assert DEAD in letter.get_content()
    assert (
        f"https://corrections.example/review/settings/webhooks/{webhook.id}" in letter.get_content()
    )


@pytest.mark.parametrize(
    ("kind", "count", "wanted"),
    [
        ("correction.created", 1, False),
        ("report.created", 2, False),
        ("report.created", 3, True),
        ("report.created", 4, False),
        ("correction.accepted", 2, False),
        ("correction.accepted", 4, True),
        ("ping", 9, False),
    ],
)
def test_is_told_from_so_many_reports_on(kind: str, count: int, wanted: bool) -> None:
    channel = Channel(events=["correction.*"], least_reports=3)
    event = Event(type=kind, data={"report_count": count})
    assert fan_out.is_told(event, channel) is wanted


def test_is_told_never_of_suspected_spam() -> None:
    channel = Channel(events=["*"], least_reports=1)
    event = Event(type="report.created", data={"report_count": 1, "suspected": True})
    assert not fan_out.is_told(event, channel)


def states(database: Database) -> set[DeliveryState]:
    return {delivery.state for delivery in state_of(database)[0]}
