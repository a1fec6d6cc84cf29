from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from service.db import Database
from service.db.schema import id_at
from service.dispatch import fan_out, health, measures
from service.dispatch.measures import Measures
from service.models import Attempt, Delivery, Webhook
from tests.dispatch.conftest import Subscribe, Tell


def test_measure_counts_what_waits_and_what_failed(
    subscribe: Subscribe, tell: Tell, database: Database
) -> None:
    with database.read() as session:
        assert measures.measure(session, now=datetime.now(UTC)) == Measures(
            0, 0, 0, 0.0, 0, 0, 0, 0
        )
    gone = subscribe("http://127.0.0.1/gone")
    failing = subscribe("http://127.0.0.1/failing")
    tell()
    now = datetime.now(UTC)
    with database.write() as session:
        fan_out.fan_out(session, now=now)
        health.note_failure(session, Webhook, failing.id, now=now)
        health.disable(session, Webhook, gone.id, health.GONE, now=now)
    tell()
    with database.write() as session:
        [pending] = session.scalars(select(Delivery).where(Delivery.webhook_id == failing.id))
        for status, age in ((503, 0), (None, 5), (204, 59), (503, 61)):
            at = now - timedelta(minutes=age)
            session.add(
                Attempt(
                    id=id_at(at.timestamp()), delivery_id=pending.id, started_at=at,
                    duration_ms=1, status=status,
                )
            )  # fmt: skip
    with database.read() as session:
        found = measures.measure(session, now=now)
    assert (found.attempts_last_hour, found.failures_last_hour) == (3, 2)
    later = now + timedelta(seconds=60)
    with database.read() as session:
        found = measures.measure(session, now=later)
    assert (found.events_waiting, found.deliveries_pending, found.deliveries_failed) == (1, 1, 1)
    assert (found.webhooks_failing, found.webhooks_disabled) == (1, 1)
    assert 60 <= found.oldest_due_seconds < 90
