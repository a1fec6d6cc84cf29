"""Verbs of channels: make, change, delete, stop, and what a test message is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service import audits
from service.db import new_id
from service.dispatch import health, schedule, webhooks
from service.dispatch.to_channels import ChannelParcel
from service.errors import NotFound, invalid
from service.models import Channel, Delivery, DeliveryState, Medium, Pace, Site
from service.settings import Network

MOST_CHANNELS = 50
DISABLED_BY_HAND = "Disabled by an editor."
STOPPED = "Stopped by a link in one of its messages."
MASK = "…"

FIELDS: Mapping[Medium, Mapping[str, bool]] = {
    Medium.MAIL: {"address": False},
    Medium.SLACK: {"url": True},
    Medium.MATTERMOST: {"url": True},
    Medium.DISCORD: {"url": True},
    Medium.TELEGRAM: {"token": True, "chat": False, "server": False},
    Medium.TEAMS: {"url": True},
}
"""What each medium needs to know, and whether it is a secret."""

OPTIONAL = frozenset({"server"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What may be set of a channel, besides its medium and target."""

    name: str
    events: Sequence[str]
    pace: Pace = Pace.AT_ONCE
    hour: int = 9
    zone: str = "UTC"
    quiet_from: int | None = None
    quiet_until: int | None = None
    least_reports: int = 1


def checked_target(
    medium: Medium,
    given: Mapping[str, str | None],
    allowed: Sequence[Network],
    kept: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Where a channel goes, if it may; a secret that is left empty stays as it was `kept`.

    Raises InvalidFields. Asks a name server: not for use in a transaction.
    """
    target = {}
    for name, is_secret in FIELDS[medium].items():
        value = given.get(name) or (kept or {}).get(name, "") if is_secret else given.get(name)
        if not value and name not in OPTIONAL:
            raise invalid(f"/{name}", "This is needed.")
        target[name] = value or ""
    for name in ("url", "server"):
        if target.get(name) and target[name] != (kept or {}).get(name):
            _check_url(name, target[name], allowed)
    return target


def _check_url(name: str, url: str, allowed: Sequence[Network]) -> None:
    webhooks.checked_url(url, allowed, pointer=f"/{name}")


def check(wishes: Wishes) -> None:
    """Raise InvalidFields where something is out of range."""
    webhooks.checked_patterns(wishes.events)
    if wishes.zone not in available_timezones():
        raise invalid("/zone", "There is no such time zone; write it as in Europe/Kyiv.")
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        missing = "/quiet_from" if wishes.quiet_from is None else "/quiet_until"
        raise invalid(missing, "Quiet hours need a beginning and an end.")


def create(
    session: Session,
    site_id: UUID,
    medium: Medium,
    target: Mapping[str, str],
    wishes: Wishes,
    *,
    by: str = audits.COMMAND_LINE,
    now: datetime,
) -> Channel:
    """Make a channel; raises InvalidFields."""
    check(wishes)
    count = session.scalar(select(func.count()).where(Channel.site_id == site_id)) or 0
    if count >= MOST_CHANNELS:
        raise invalid("", f"A site may have {MOST_CHANNELS} channels.")
    channel = Channel(
        site_id=site_id, medium=medium, target=dict(target), created_at=now, updated_at=now
    )
    _wish(channel, wishes)
    session.add(channel)
    session.flush()
    audits.note(
        session, site_id, "channel.made", channel.name, by=by, now=now, after=_told(channel)
    )
    return channel


def change(
    session: Session,
    channel: Channel,
    target: Mapping[str, str],
    wishes: Wishes,
    *,
    enabled: bool,
    by: str = audits.COMMAND_LINE,
    now: datetime,
) -> None:
    """Change a channel; what waits for a digest goes by the new times. Raises InvalidFields."""
    check(wishes)
    before, kept = _told(channel), channel.target
    _wish(channel, wishes)
    channel.target, channel.updated_at = dict(target), now
    session.flush()
    if not enabled:
        health.disable(session, Channel, channel.id, DISABLED_BY_HAND, now=now)
        session.refresh(channel)
    elif not channel.enabled:
        channel.enabled, channel.disabled_reason, channel.failing_since = True, None, None
        session.flush()
    session.execute(
        update(Delivery)
        .where(
            Delivery.channel_id == channel.id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.message_id.is_(None),
        )
        .values(next_attempt_at=schedule.due_at(channel, now))
        .execution_options(synchronize_session=False)
    )
    audits.note_change(
        session,
        channel.site_id,
        "channel.changed",
        channel.name,
        by=by,
        now=now,
        before=before,
        after=_told(channel),
        masked={name for name in channel.target if channel.target[name] != kept.get(name)},
    )


def _told(channel: Channel) -> dict[str, Any]:
    """What the audit log tells of a channel."""
    return {
        "medium": channel.medium.value,
        "name": channel.name,
        "events": channel.events,
        "pace": channel.pace.value,
        "hour": channel.hour,
        "zone": channel.zone,
        "quiet_from": clock_time(channel.quiet_from),
        "quiet_until": clock_time(channel.quiet_until),
        "least_reports": channel.least_reports,
        "enabled": channel.enabled,
        **shown(channel),
    }


def clock_time(minute: int | None) -> str:
    """A minute of the day as a clock shows it; empty for none."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def wishes_of(channel: Channel) -> Wishes:
    """What is set of a channel."""
    return Wishes(**{each.name: getattr(channel, each.name) for each in fields(Wishes)})


def _wish(channel: Channel, wishes: Wishes) -> None:
    channel.name, channel.events = wishes.name, list(dict.fromkeys(wishes.events))
    channel.pace, channel.hour, channel.zone = wishes.pace, wishes.hour, wishes.zone
    channel.quiet_from, channel.quiet_until = wishes.quiet_from, wishes.quiet_until
    channel.least_reports = wishes.least_reports


def of_site(session: Session, site_id: UUID) -> Sequence[Channel]:
    """The site's channels, the oldest first."""
    return session.scalars(
        select(Channel).where(Channel.site_id == site_id).order_by(Channel.id)
    ).all()


def find(session: Session, site_id: UUID, channel_id: UUID, *, lock: bool = False) -> Channel:
    """One of the site's channels; raises NotFound, also for another site's."""
    wanted = select(Channel).where(Channel.id == channel_id, Channel.site_id == site_id)
    channel = session.scalar(wanted.with_for_update(key_share=True) if lock else wanted)
    if channel is None:
        raise NotFound("There is no such channel.")
    return channel


def remove(session: Session, channel: Channel, *, by: str, now: datetime) -> None:
    """Delete a channel with its deliveries."""
    audits.note(
        session,
        channel.site_id,
        "channel.removed",
        channel.name,
        by=by,
        now=now,
        before=_told(channel),
    )
    session.execute(delete(Delivery).where(Delivery.channel_id == channel.id))
    session.delete(channel)
    session.flush()


def stop(session: Session, channel_id: UUID, *, now: datetime) -> None:
    """Disable a channel as whoever has its messages asks; a second time changes nothing."""
    health.disable(session, Channel, channel_id, STOPPED, now=now)


def trial(session: Session, channel: Channel) -> ChannelParcel:
    """A test message to a channel."""
    site = session.get_one(Site, channel.site_id)
    return ChannelParcel(channel, site.name, site.language, [], new_id())


def shown(channel: Channel) -> dict[str, str]:
    """Where a channel goes, as it may be shown: of a secret just enough to know it again."""
    secrets = FIELDS[channel.medium]
    return {
        name: _masked(value) if secrets[name] else value for name, value in channel.target.items()
    }


def _masked(secret: str) -> str:
    scheme, mark, rest = secret.partition("://")
    host = f"{scheme}{mark}{rest.partition('/')[0]}/" if mark else ""
    return f"{host}{MASK}{secret[-4:]}"
