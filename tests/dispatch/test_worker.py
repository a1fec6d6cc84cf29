import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from service.db import Database, new_id
from service.dispatch import (
    backoff,
    channel_settings,
    claim,
    clock,
    fan_out,
    history,
    outlets,
    to_webhooks,
    webhooks,
)
from service.dispatch.channel_settings import Wishes
from service.dispatch.to_webhooks import Contents
from service.dispatch.webhooks import CheckedUrl
from service.dispatch.worker import Worker
from service.errors import Unavailable
from service.models import DeliveryState, Event, Medium, Site, Webhook
from tests import reporting
from tests.dispatch import receivers
from tests.dispatch.conftest import Subscribe, Tell, state_of
from tests.dispatch.receivers import Got, Receiver, misbehaving, running
from tests.servers import wait_until

Work = Callable[..., AbstractContextManager[Worker]]

AT_ONCE = (timedelta(0),) * 7


def test_run_delivers_what_verifies(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    webhook = subscribe(receiver.url)
    with work():
        first = tell("correction.created", title="слово “𝄞”")
        receiver.wait_for(1)
    [got] = receiver.got
    [message] = receiver.verified(webhook.secret)
    assert got.headers["content-type"] == "application/json"
    assert got.id == str(first)
    assert message["type"] == "correction.created"  # type: ignore[index]
    assert message["data"] == {"id": "a correction", "title": "слово “𝄞”"}  # type: ignore[index]
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None  # type: ignore[index]
    [delivery], [attempt] = state_of(database)
    assert (delivery.state, delivery.attempt_count) == (DeliveryState.DELIVERED, 1)
    assert (delivery.next_attempt_at, delivery.leased_by) == (None, None)
    assert (attempt.status, attempt.error, attempt.response) == (204, None, "")
    assert attempt.request is not None
    assert attempt.request["webhook-id"] == str(first)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OverflowError(), "a chore failed"),
        (Unavailable("too slow"), "the database refused a chore: too slow"),
    ],
)
def test_run_outlives_a_chore_that_fails(
    receiver: Receiver,
    subscribe: Subscribe,
    tell: Tell,
    work: Work,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    told: str,
) -> None:
    done: list[int] = []

    def fail() -> None:
        raise error

    subscribe(receiver.url)
    with work(chores=[fail, lambda: done.append(1)]):
        tell()
        receiver.wait_for(1)
    assert done == [1]
    assert [record.message for record in caplog.records] == [told]


def test_run_outlives_what_it_stumbles_over(
    receiver: Receiver,
    subscribe: Subscribe,
    tell: Tell,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    due, faults = outlets.due, [OverflowError()]

    def stumbling(*given: Any, **named: Any) -> Any:
        if faults:
            raise faults.pop()
        return due(*given, **named)

    monkeypatch.setattr(outlets, "due", stumbling)
    subscribe(receiver.url)
    tell()
    with work():
        receiver.wait_for(1)
    assert [record.message for record in caplog.records] == ["the worker stumbled"]


def test_run_every_attempt_has_the_same_id_and_body(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    answers = iter([(500, {}), (301, {"Location": "/"}), (429, {}), (200, {})])
    with running(Receiver(lambda _got: next(answers))) as receiver:
        webhook = subscribe(receiver.url)
        tell(text="a" * 5000)
        with work(delays=AT_ONCE):
            receiver.wait_for(4)
        receiver.verified(webhook.secret)
    assert len({(got.id, got.body) for got in receiver.got}) == 1
    [delivery], attempts = state_of(database)
    assert (delivery.state, delivery.attempt_count) == (DeliveryState.DELIVERED, 4)
    assert [attempt.status for attempt in attempts] == [500, 301, 429, 200]


def test_run_gives_up_after_the_last_delay(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    with running(Receiver(lambda _got: (500, {}))) as receiver:
        subscribe(receiver.url)
        tell()
        with work(delays=AT_ONCE):
            receiver.wait_for(8)
    [delivery], attempts = state_of(database)
    assert (delivery.state, delivery.attempt_count, len(attempts)) == (DeliveryState.FAILED, 8, 8)
    assert delivery.finished_at is not None


def test_run_failure_waits_for_the_first_delay_or_as_asked(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    def answer(got: Got) -> tuple[int, dict[str, str]]:
        return 503, {"Retry-After": "3600"} if got.path == "/asks" else {}

    with running(Receiver(answer)) as receiver:
        plain = subscribe(receiver.url)
        subscribe(receiver.url.replace("/hook", "/asks"))
        tell()
        with work():
            receiver.wait_for(2)
    deliveries, _ = state_of(database)
    for delivery in deliveries:
        assert delivery.next_attempt_at is not None
        assert delivery.finished_at is None
        wait = delivery.next_attempt_at - delivery.created_at
        least = timedelta(seconds=5) if delivery.webhook_id == plain.id else timedelta(hours=1)
        assert least <= wait < least * 1.5 + timedelta(seconds=30)


def test_run_only_what_the_endpoint_asks_for(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, other_site: Site
) -> None:
    subscribe(receiver.url + "/all", "*")
    subscribe(receiver.url + "/corrections", "correction.*")
    subscribe(receiver.url + "/one", "correction.fixed")
    subscribe(receiver.url + "/foreign", "*", site_id=other_site.id)
    with work():
        for kind in ("report.created", "correction.created", "correction.fixed"):
            tell(kind)
        receiver.wait_for(6)
        time.sleep(0.5)
    seen = sorted((got.path, json.loads(got.body)["type"]) for got in receiver.got)
    assert seen == [
        ("/hook/all", "correction.created"),
        ("/hook/all", "correction.fixed"),
        ("/hook/all", "report.created"),
        ("/hook/corrections", "correction.created"),
        ("/hook/corrections", "correction.fixed"),
        ("/hook/one", "correction.fixed"),
    ]


def test_run_one_subjects_events_arrive_in_order(
    subscribe: Subscribe, tell: Tell, work: Work
) -> None:
    def slow_at_first(got: Got) -> tuple[int, dict[str, str]]:
        time.sleep(0.05 if b"created" in got.body else 0)
        return 200, {}

    kinds = ["correction.created", "correction.accepted", "correction.fixed", "correction.reopened"]
    with running(Receiver(slow_at_first)) as receiver:
        subscribe(receiver.url)
        subjects = [new_id() for _ in range(20)]
        for kind in kinds:
            for subject in subjects:
                tell(kind, subject, about=str(subject))
        with work(), work():
            receiver.wait_for(80)
    arrived: dict[str, list[str]] = {}
    for got in receiver.got:
        message = json.loads(got.body)
        arrived.setdefault(message["data"]["about"], []).append(message["type"])
    assert arrived == {str(subject): kinds for subject in subjects}


def test_mend_leaves_what_another_worker_leased_meanwhile(
    subscribe: Subscribe, tell: Tell, database: Database
) -> None:
    """A worker that starts has read the clock before it may write; one step back of it is more."""
    webhook = subscribe("http://127.0.0.1:9/")
    tell()
    read = datetime.now(UTC)
    leased = read + timedelta(seconds=1)
    with database.write() as session:
        fan_out.fan_out(session, now=read)
        claim.lease(session, claim.first_due(webhook.id, leased, 1), worker_id=new_id(), now=leased)
    for now, is_kept in ((read, True), (read - timedelta(hours=1), False)):
        with database.write() as session:
            clock.mend(session, now=now, is_jump=False)
        [delivery], _ = state_of(database)
        assert (delivery.leased_until is not None) == is_kept


def test_events_that_nobody_listens_to_are_done_with(
    subscribe: Subscribe, tell: Tell, database: Database
) -> None:
    disabled = subscribe("http://127.0.0.1:9/")
    with database.write() as session:
        session.merge(disabled).enabled = False
    now = datetime.now(UTC)
    for _ in range(3):
        tell()
    handed_out = []
    for _ in range(3):
        with database.write() as session:
            handed_out.append(fan_out.fan_out(session, now=now, limit=2))
    assert handed_out == [2, 1, 0]
    tell()
    subscribe("http://127.0.0.1:9/")
    with database.write() as session:
        assert fan_out.fan_out(session, now=now) == 1
    [delivery], _ = state_of(database)
    with database.read() as session:
        last = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert last is not None
        assert delivery.event_id == last.id


@pytest.mark.parametrize("listener", ["webhook", "channel"])
def test_reports_events_wait_where_somebody_listens(
    database: Database, site: Site, subscribe: Subscribe, listener: str
) -> None:
    now = datetime.now(UTC)

    def waiting(key: str) -> int:
        """How many events of a new report wait to be handed out."""
        with database.read() as session:
            before = session.scalars(select(Event.id)).all()
        reporting.report(database, site, now, key=key)
        with database.read() as session:
            told = session.scalars(select(Event).where(Event.id.not_in(before))).all()
        return sum(event.fanned_out_at is None for event in told)

    is_racing = not database.is_sqlite
    assert waiting("a") == 2 * is_racing
    with database.write() as session:
        made = (
            webhooks.create(session, site.id, CheckedUrl("http://127.0.0.1:9/"), ("*",), now=now)
            if listener == "webhook"
            else channel_settings.create(
                session,
                site.id,
                Medium.MAIL,
                {"address": "desk@news.example"},
                Wishes("desk", ["*"]),
                now=now,
            )
        )
    assert waiting("b") == 1
    with database.write() as session:
        session.merge(made).enabled = False
    assert waiting("c") == is_racing


def test_run_what_nobody_listens_to_is_not_looked_for_each_time(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[float]()
    step = Worker._step

    def noted(worker: Worker) -> float:
        looks.append(time.monotonic())
        return step(worker)

    monkeypatch.setattr(Worker, "_step", noted)
    with work() as worker:
        for _ in range(300):
            worker.wake()
            time.sleep(0.002)
    assert 2 <= len(looks) < 15


def test_run_order_is_kept_over_one_failure(subscribe: Subscribe, tell: Tell, work: Work) -> None:
    failed: list[str] = []

    def fail_once(got: Got) -> tuple[int, dict[str, str]]:
        if not failed:
            failed.append(got.id)
            return 500, {}
        return 200, {}

    with running(Receiver(fail_once)) as receiver:
        subscribe(receiver.url)
        subject = new_id()
        events = [tell(kind, subject) for kind in ("correction.created", "correction.fixed")]
        with work(delays=(timedelta(seconds=1), *AT_ONCE)):
            receiver.wait_for(3)
    assert receiver.ids() == [str(events[0]), str(events[0]), str(events[1])]


def test_run_hanging_endpoint_delays_no_other(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    release = receivers.threading.Event()
    with misbehaving(lambda *_: release.wait(60) and None) as hanging:
        subscribe(hanging.url)
        subscribe(receiver.url)
        for _ in range(200):
            tell()
        with work():
            receiver.wait_for(200)
            deliveries, _ = state_of(database)
            release.set()
    states = {delivery.webhook_id: set() for delivery in deliveries}  # type: ignore[var-annotated]
    for delivery in deliveries:
        states[delivery.webhook_id].add(delivery.state)
    assert {DeliveryState.PENDING} in states.values()


def test_run_sends_before_everything_is_handed_out(
    subscribe: Subscribe, work: Work, database: Database, site: Site
) -> None:
    waiting: list[int] = []

    def count(_got: Got) -> tuple[int, dict[str, str]]:
        if not waiting:
            with database.read() as session:
                unseen = select(func.count()).where(Event.fanned_out_at.is_(None))
                waiting.append(session.scalar(unseen) or 0)
        return 200, {}

    now = datetime.now(UTC)
    shared = {"site_id": site.id, "type": "correction.created", "data": {}, "created_at": now}
    with running(Receiver(count)) as receiver:
        subscribe(receiver.url)
        with database.write() as session:
            session.execute(
                insert(Event),
                [{"id": new_id(), "subject_id": new_id(), **shared} for _ in range(8000)],
            )
        with work():
            receiver.wait_for(1)
    assert waiting[0] > 0


def test_run_410_disables_and_fails_what_waits(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    with running(Receiver(lambda _got: (410, {}))) as receiver:
        webhook = subscribe(receiver.url)
        tell()
        with work():
            receiver.wait_for(1)
            wait_until(lambda: not reread(database, webhook).enabled, 10, "disabled")
            tell()
            time.sleep(0.6)
    assert len(receiver.got) == 1
    assert reread(database, webhook).disabled_reason == "The receiver answered 410 Gone."
    [delivery], _ = state_of(database)
    assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.FAILED, None)


def test_run_five_days_of_nothing_but_failure_disable(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    with running(Receiver(lambda _got: (500, {}))) as receiver:
        webhook, almost = subscribe(receiver.url), subscribe(receiver.url)
        with database.write() as session:
            long_ago = datetime.now(UTC) - timedelta(days=5, minutes=1)
            session.get_one(Webhook, webhook.id).failing_since = long_ago
            session.get_one(Webhook, almost.id).failing_since = long_ago + timedelta(hours=1)
        tell()
        with work():
            receiver.wait_for(2)
    assert not reread(database, webhook).enabled
    assert reread(database, webhook).disabled_reason == "Nothing but failures for five days."
    assert reread(database, almost).enabled


def test_run_success_ends_the_failing(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    webhook = subscribe(receiver.url)
    with database.write() as session:
        session.get_one(Webhook, webhook.id).failing_since = datetime.now(UTC) - timedelta(days=9)
    tell()
    with work():
        receiver.wait_for(1)
    assert reread(database, webhook).failing_since is None
    assert reread(database, webhook).enabled


def test_run_private_address_is_refused_and_told(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    subscribe("http://169.254.169.254/latest/meta-data")
    tell()
    with work():
        wait_until(lambda: bool(state_of(database)[1]), 10, "an attempt")
    _, [attempt] = state_of(database)
    assert attempt.status is None
    assert (
        attempt.error == "blocked: not sent: 169.254.169.254 is not a public address (link-local)"
    )


def test_run_both_secrets_sign_after_a_rotation(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    webhook = subscribe(receiver.url)
    with database.write() as session:
        changed = session.get_one(Webhook, webhook.id)
        webhooks.rotate_secret(session, changed, by="a", now=datetime.now(UTC))
    tell()
    with work():
        receiver.wait_for(1)
    assert changed.secret != webhook.secret
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 2
    assert receiver.verified(webhook.secret) == receiver.verified(changed.secret)
    receiver.got.clear()
    with database.write() as session:
        session.get_one(Webhook, webhook.id).previous_secret_until = datetime.now(UTC)
    tell()
    with work():
        receiver.wait_for(1)
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 1
    receiver.verified(changed.secret)


def test_run_own_headers_are_sent_and_masked(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    subscribe(receiver.url, headers={"Authorization": "Bearer a secret"})
    tell()
    with work():
        receiver.wait_for(1)
    assert receiver.got[0].headers["authorization"] == "Bearer a secret"
    _, [attempt] = state_of(database)
    assert attempt.request is not None
    assert attempt.request["Authorization"] == "…"


def test_run_ping_goes_to_one_endpoint(
    receiver: Receiver, subscribe: Subscribe, work: Work, database: Database
) -> None:
    webhook = subscribe(receiver.url + "/pinged", "correction.fixed")
    subscribe(receiver.url + "/other", "*")
    with database.write() as session:
        webhooks.ping(session, session.get_one(Webhook, webhook.id), now=datetime.now(UTC))
    with work():
        receiver.wait_for(1)
        time.sleep(0.5)
    [got] = receiver.got
    assert got.path == "/hook/pinged"
    assert json.loads(got.body)["type"] == "ping"


def test_run_stops_when_what_was_begun_is_written(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    def slow(_got: Got) -> tuple[int, dict[str, str]]:
        time.sleep(0.7)
        return 200, {}

    with running(Receiver(slow)) as receiver:
        subscribe(receiver.url)
        for _ in range(30):
            tell()
        with work():
            receiver.wait_for(1)
    deliveries, _ = state_of(database)
    delivered = [one for one in deliveries if one.state == DeliveryState.DELIVERED]
    assert len(delivered) == len(receiver.got)
    assert 0 < len(delivered) < 30
    assert [one.leased_by for one in deliveries] == [None] * 30


def test_claim_leased_by_another_until_it_lapses(
    subscribe: Subscribe, tell: Tell, database: Database, now: datetime
) -> None:
    webhook, mine, theirs = subscribe("http://127.0.0.1/"), new_id(), new_id()
    tell()
    now = datetime.now(UTC)

    def claimed(worker_id: UUID, at: datetime) -> int:
        with database.write() as session:
            fan_out.fan_out(session, now=at)
            return len(
                to_webhooks.take(
                    session, webhook.id, Contents(), worker_id=worker_id, now=at, limit=9
                )
            )

    assert [claimed(mine, now), claimed(theirs, now), claimed(mine, now)] == [1, 0, 0]
    later = now + claim.LEASE
    assert [claimed(theirs, later - timedelta(seconds=1)), claimed(theirs, later)] == [0, 1]


@pytest.mark.parametrize("hours", [1, -1])
def test_run_clock_jumps(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database, hours: int
) -> None:
    offset = timedelta(0)
    answers = iter([(500, {})])
    receiver.answer = lambda _got: next(answers, (200, {}))
    subscribe(receiver.url)
    with work(
        clock=lambda session: clock.database_now(session) + offset,
        delays=(timedelta(seconds=1),) * 7,
    ):
        first = tell()
        wait_until(lambda: len(state_of(database)[1]) == 1, 10, "the first attempt")
        offset = timedelta(hours=hours)
        second = tell()
        receiver.wait_for(3)
        time.sleep(0.6)
    assert sorted(receiver.ids()) == sorted([str(first), str(first), str(second)])


def test_run_lapsed_lease_far_in_the_future_is_taken_over(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    """A worker took it and died; then the clock was set back."""
    webhook = subscribe(receiver.url)
    tell()
    future = datetime.now(UTC) + timedelta(hours=1)
    with database.write() as session:
        fan_out.fan_out(session, now=future)
        assert to_webhooks.take(
            session, webhook.id, Contents(), worker_id=new_id(), now=future, limit=1
        )
    with work():
        receiver.wait_for(1)


def test_run_deleted_while_under_way(
    subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    begun, go = receivers.threading.Event(), receivers.threading.Event()

    def wait(_got: Got) -> tuple[int, dict[str, str]]:
        begun.set()
        go.wait(20)
        return 200, {}

    with running(Receiver(wait)) as receiver, work():
        webhook = subscribe(receiver.url)
        tell()
        assert begun.wait(10)
        with database.write() as session:
            webhooks.remove(
                session, session.get_one(Webhook, webhook.id), by="a", now=datetime.now(UTC)
            )
        go.set()
        other = subscribe(receiver.url)
        second = tell()
        receiver.wait_for(2)
    assert receiver.ids()[1] == str(second)
    deliveries, _ = state_of(database)
    assert [delivery.webhook_id for delivery in deliveries] == [other.id]


@pytest.mark.parametrize("act", ["moved", "disabled", "removed"])
def test_run_backlog_follows_what_becomes_of_its_webhook(
    subscribe: Subscribe, work: Work, database: Database, site: Site, act: str
) -> None:
    go = receivers.threading.Event()

    def wait_at_last(_got: Got) -> tuple[int, dict[str, str]]:
        # The quicker the first ones, the more wait behind them.
        if len(receiver.got) > 60:
            go.wait(20)
        return 204, {}

    count, now = 300, datetime.now(UTC)
    shared = {"site_id": site.id, "type": "correction.created", "data": {}, "created_at": now}
    receiver = Receiver(wait_at_last)
    with running(receiver):
        webhook = subscribe(receiver.url)
        with database.write() as session:
            session.execute(
                insert(Event),
                [{"id": new_id(), "subject_id": new_id(), **shared} for _ in range(count)],
            )
        with work():
            receiver.wait_for(61)
            time.sleep(0.5)
            with database.write() as session:
                found = session.get_one(Webhook, webhook.id)
                told = {"by": "a", "now": datetime.now(UTC)}
                if act == "removed":
                    webhooks.remove(session, found, **told)
                elif act == "disabled":
                    webhooks.change(session, found, enabled=False, **told)
                else:
                    url = CheckedUrl(f"{receiver.url}/new")
                    webhooks.change(session, found, url=url, **told)
            time.sleep(1)
            begun = len(receiver.got)
            go.set()
            receiver.wait_for(count if act == "moved" else begun)
            time.sleep(0.3)
    assert begun < count
    later = [got.path for got in receiver.got[begun:]]
    assert later == (["/hook/new"] * (count - begun) if act == "moved" else [])


def test_redeliver_sends_the_same_id_again(
    receiver: Receiver, subscribe: Subscribe, tell: Tell, work: Work, database: Database, site: Site
) -> None:
    subscribe(receiver.url)
    tell()
    with work():
        receiver.wait_for(1)
    [delivery], _ = state_of(database)
    with database.write() as session:
        history.redeliver(session, site.id, delivery.id, now=datetime.now(UTC))
    with work():
        receiver.wait_for(2)
    assert len(set(receiver.ids())) == 1
    _, attempts = state_of(database)
    assert len(attempts) == 2


def test_next_delay_grows_with_jitter() -> None:
    for tries, planned in enumerate(backoff.DELAYS, start=1):
        drawn = [backoff.next_delay(tries) for _ in range(50)]
        assert all(delay is not None and planned <= delay <= planned * 1.2 for delay in drawn)
        assert len(set(drawn)) > 1
    assert backoff.next_delay(8) is None
    assert backoff.next_delay(1, timedelta(hours=99)) == timedelta(hours=10)


def test_retry_after_seconds_or_date() -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert backoff.retry_after("120", at) == timedelta(seconds=120)
    assert backoff.retry_after("Sun, 01 Mar 2026 12:05:00 GMT", at) == timedelta(minutes=5)
    assert backoff.retry_after("Sun, 01 Mar 2026 11:05:00 GMT", at) == timedelta(0)
    assert backoff.retry_after("9" * 5000, at) == timedelta(hours=10)
    far = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"
    assert backoff.retry_after(far, at) is None
    for nonsense in (None, "", "soon", "-5", "1.5", "²"):
        assert backoff.retry_after(nonsense, at) is None


def reread(database: Database, webhook: Webhook) -> Webhook:
    with database.read() as session:
        return session.get_one(Webhook, webhook.id)
