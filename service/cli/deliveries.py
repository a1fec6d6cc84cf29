"""`corrigenda deliveries`: what was sent to webhooks."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import click
from sqlalchemy.orm import Session

from service.cli.context import as_json, now, of_site, open_database, say, site_of
from service.dispatch import history, webhooks
from service.errors import invalid
from service.models import DeliveryState, Webhook
from service.snapshots import instant

PRUNE_DAYS = 90


@click.group()
def deliveries() -> None:
    """Deliveries to webhooks: list, redeliver, prune."""


@deliveries.command("list")
@of_site
@click.option("--state", type=click.Choice([state.value for state in DeliveryState]))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
def list_deliveries(key: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List each webhook's newest deliveries with their last answer."""
    wanted = DeliveryState(state) if state else None
    with open_database().read() as session:
        site = site_of(session, key)
        for webhook in webhooks.of_site(session, site.id):
            for sent in history.deliveries(session, webhook, limit=limit, state=wanted):
                _say(sent, webhook, as_json=as_json)


def _say(sent: history.Sent, webhook: Webhook, *, as_json: bool) -> None:
    delivery = sent.delivery
    last = sent.attempts[-1] if sent.attempts else None
    answer = (last.error or str(last.status)) if last else "not tried yet"
    fields: dict[str, object] = {
        "id": str(delivery.id),
        "event_id": str(delivery.event_id),
        "type": sent.event.type,
        "url": webhook.url,
        "state": delivery.state.value,
        "attempts": len(sent.attempts),
        "last_answer": answer,
        "next_attempt_at": instant(delivery.next_attempt_at),
        "created_at": instant(delivery.created_at),
    }
    names = ("id", "created_at", "type", "state", "attempts", "last_answer", "url")
    say("\t".join(str(fields[name]) for name in names), fields, as_json=as_json)


@deliveries.command()
@of_site
@click.argument("delivery_id", type=click.UUID, required=False)
@click.option(
    "--failed-since", type=click.DateTime(), help="All that have failed since then (UTC)."
)
@as_json
def redeliver(
    key: str | None, delivery_id: UUID | None, failed_since: datetime | None, as_json: bool
) -> None:
    """Send one delivery again, or all that have failed since a moment, under the same ids."""
    if delivery_id is not None and failed_since is not None:
        raise invalid("", "Name one delivery or --failed-since, not both.")
    with open_database().write() as session:
        site_id = site_of(session, key).id
        if delivery_id is not None:
            history.redeliver(session, site_id, delivery_id, now=now())
            count = 1
        elif failed_since is not None:
            count = _redeliver_failed(session, site_id, failed_since.replace(tzinfo=UTC))
        else:
            raise invalid("", "Name one delivery, or --failed-since.")
    say(f"Queued again: {count}", {"count": count}, as_json=as_json)


def _redeliver_failed(session: Session, site_id: UUID, since: datetime) -> int:
    return sum(
        history.redeliver_failed(session, webhook, since=since, now=now())
        for webhook in webhooks.of_site(session, site_id)
        if webhook.enabled
    )


@deliveries.command()
@click.option("--days", type=click.IntRange(1, 36500), default=PRUNE_DAYS, show_default=True)
@as_json
def prune(days: int, as_json: bool) -> None:
    """Delete what ended more than some days ago; replays reach back no further."""
    count = history.prune(open_database(), before=now() - timedelta(days=days))
    say(f"Deleted: {count}", {"count": count}, as_json=as_json)
