"""Verbs of webhooks: make, change, delete, ping, give a new secret."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NewType
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service import audits, events
from service.dispatch import applying, fan_out, guard, health, messages
from service.dispatch.history import Sent
from service.errors import Disabled, NotFound, invalid
from service.models import Delivery, Event, Site, Webhook
from service.settings import Network

BOTH_SECRETS = timedelta(hours=24)
"""After a rotation both secrets sign for so long."""

LOOK_UP_SECONDS = 3.0
MOST_WEBHOOKS = 100
MOST_HEADERS = 20
DISABLED_BY_HAND = "Disabled by an editor or a script."

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[!-~]([ -~]{0,998}[!-~])?")
_OUR_HEADERS = re.compile(
    "webhook-.*|proxy-.*|host|content-.*|transfer-encoding|te|trailer|connection|keep-alive|"
    "upgrade|expect|accept-encoding|user-agent|forwarded|x-forwarded-.*",
    re.IGNORECASE,
)

CheckedUrl = NewType("CheckedUrl", str)
"""An address that `checked_url` let through."""


def checked_url(url: str, allowed: Sequence[Network], *, pointer: str = "/url") -> CheckedUrl:
    """The URL, if webhooks may go there now; raises InvalidFields. Asks a name server: not for
    use in a transaction. A name that nobody knows yet is let through: sending checks again.
    """
    try:
        guard.resolve(guard.parse(url), allowed, seconds=LOOK_UP_SECONDS)
    except guard.NotAllowed as error:
        raise invalid(pointer, f"Nothing is sent there: {error}.") from None
    except guard.NoSuchName:
        pass
    return CheckedUrl(url)


def create(
    session: Session,
    site_id: UUID,
    url: CheckedUrl,
    patterns: Sequence[str],
    *,
    now: datetime,
    by: str = audits.COMMAND_LINE,
    description: str = "",
    headers: Mapping[str, str] | None = None,
) -> Webhook:
    """Make a webhook with a new secret; raises InvalidFields."""
    count = session.scalar(select(func.count()).where(Webhook.site_id == site_id)) or 0
    if count >= MOST_WEBHOOKS:
        raise invalid("", f"A site may have {MOST_WEBHOOKS} webhooks.")
    wanted = checked_patterns(patterns)
    _check_alone(session, site_id, wanted)
    webhook = Webhook(
        site_id=site_id,
        url=url,
        description=description,
        events=wanted,
        headers=checked_headers(headers or {}),
        secret=messages.new_secret(),
        created_at=now,
        updated_at=now,
    )
    session.add(webhook)
    session.flush()
    audits.note(session, site_id, "webhook.made", url, by=by, now=now, after=_told(webhook))
    return webhook


def of_site(session: Session, site_id: UUID) -> Sequence[Webhook]:
    """The site's webhooks, the oldest first."""
    return session.scalars(
        select(Webhook).where(Webhook.site_id == site_id).order_by(Webhook.id)
    ).all()


def find(session: Session, site_id: UUID, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """One of the site's webhooks; raises NotFound, also for another site's."""
    wanted = select(Webhook).where(Webhook.id == webhook_id, Webhook.site_id == site_id)
    webhook = session.scalar(wanted.with_for_update(key_share=True) if lock else wanted)
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def change(
    session: Session,
    webhook: Webhook,
    *,
    by: str,
    now: datetime,
    url: CheckedUrl | None = None,
    patterns: Sequence[str] | None = None,
    description: str | None = None,
    headers: Mapping[str, str] | None = None,
    enabled: bool | None = None,
) -> None:
    """Change what is given; what waits for a webhook that is disabled has failed.

    Raises InvalidFields.
    """
    before, kept = _told(webhook), webhook.headers
    if url is not None:
        webhook.url = url
    if patterns is not None:
        wanted = checked_patterns(patterns)
        if wanted != webhook.events:
            _check_alone(session, webhook.site_id, wanted)
        webhook.events = wanted
    if description is not None:
        webhook.description = description
    if headers is not None:
        webhook.headers = checked_headers(headers)
    webhook.updated_at = now
    session.flush()
    if enabled is False:
        health.disable(session, Webhook, webhook.id, DISABLED_BY_HAND, now=now)
        session.refresh(webhook)
    elif enabled and not webhook.enabled:
        webhook.enabled, webhook.disabled_reason, webhook.failing_since = True, None, None
        session.flush()
    audits.note_change(
        session,
        webhook.site_id,
        "webhook.changed",
        webhook.url,
        by=by,
        now=now,
        before=before,
        after=_told(webhook),
        masked={"headers"} if webhook.headers != kept else frozenset(),
    )


def remove(session: Session, webhook: Webhook, *, by: str, now: datetime) -> None:
    """Delete a webhook with its deliveries and pings."""
    before = _told(webhook)
    audits.note(
        session, webhook.site_id, "webhook.removed", webhook.url, by=by, now=now, before=before
    )
    session.execute(delete(Delivery).where(Delivery.webhook_id == webhook.id))
    session.execute(delete(Event).where(Event.webhook_id == webhook.id))
    session.delete(webhook)
    session.flush()


def rotate_secret(session: Session, webhook: Webhook, *, by: str, now: datetime) -> None:
    """Give a webhook a new secret; the old one signs too for 24 hours."""
    audits.note(session, webhook.site_id, "webhook.secret_renewed", webhook.url, by=by, now=now)
    webhook.previous_secret = webhook.secret
    webhook.previous_secret_until = now + BOTH_SECRETS
    webhook.secret = messages.new_secret()
    webhook.updated_at = now


def ping(session: Session, webhook: Webhook, *, now: datetime) -> Sent:
    """Send a `ping` to this webhook only; raises Disabled."""
    if not webhook.enabled:
        raise Disabled("This webhook is disabled; enable it first.")
    event = events.emit_ping(session, site_id=webhook.site_id, webhook_id=webhook.id, now=now)
    event.fanned_out_at = now
    session.flush()
    [row] = fan_out.deliveries(event, [webhook], now=now)
    delivery = Delivery(**row)
    session.add(delivery)
    session.flush()
    return Sent(delivery, event, [])


def _told(webhook: Webhook) -> dict[str, Any]:
    """What the audit log tells of a webhook."""
    return {
        "url": webhook.url,
        "description": webhook.description,
        "events": webhook.events,
        "headers": [f"{name}: {messages.MASK}" for name in sorted(webhook.headers)],
        "enabled": webhook.enabled,
    }


def checked_patterns(patterns: Sequence[str]) -> list[str]:
    """The patterns, each once; raises InvalidFields where one matches no type of event.

    `correction.apply` is no event to subscribe to: it stands alone, or not at all.
    """
    if applying.APPLY in patterns:
        if {*patterns} != {applying.APPLY}:
            raise invalid("/events", f"{applying.APPLY} stands alone: make a webhook for it.")
        return [applying.APPLY]
    if not patterns:
        raise invalid("/events", "Name at least one event, as in correction.* or *.")
    for place, pattern in enumerate(patterns):
        if not any(fan_out.matches(pattern, kind) for kind in events.TYPES):
            raise invalid(f"/events/{place}", f"There is no event {pattern!r}.")
    return list(dict.fromkeys(patterns))


def _check_alone(session: Session, site_id: UUID, patterns: Sequence[str]) -> None:
    """Raise InvalidFields where a site would have two apply endpoints."""
    if patterns == [applying.APPLY]:
        # One at a time for the site, or two at once could make one each.
        session.execute(select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))
        if any(map(applying.is_for_applying, of_site(session, site_id))):
            raise invalid("/events", "This site has an address where corrections are applied.")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Own headers that may be sent along; raises InvalidFields."""
    if len(headers) > MOST_HEADERS:
        raise invalid("/headers", f"A webhook may have {MOST_HEADERS} headers of its own.")
    for name, value in headers.items():
        pointer = f"/headers/{name.replace('~', '~0').replace('/', '~1')}"
        if not _HEADER_NAME.fullmatch(name):
            raise invalid(pointer, "This is not a header's name.")
        if _OUR_HEADERS.fullmatch(name):
            raise invalid(pointer, "This header is ours to set.")
        if not _HEADER_VALUE.fullmatch(value):
            raise invalid(pointer, "A value has 1 to 1,000 visible ASCII characters.")
    return dict(headers)
