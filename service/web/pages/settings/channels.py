"""Channels at the desk: where the newsroom hears of corrections, of which, and when."""

from datetime import time
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import request
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from service import addresses
from service.accounts.principals import Principal, Scope
from service.accounts.zones import TIME_ZONES
from service.dispatch import channel_settings as verbs
from service.dispatch import history
from service.dispatch.channel_settings import Wishes
from service.dispatch.client import SendFailed
from service.errors import InvalidFields, NotFound, StaleVersion
from service.models import Channel, Medium, Pace, Site
from service.web import current, forms, outward
from service.web.cookies import Answer, signed_in
from service.web.limits import limiter
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import back, changes_since_seen, check_seen, show
from service.web.pages.settings.webhooks import PATTERNS, SwitchIn
from service.web.schemas import Text

HOME = "/review/settings/channels"
SHOWN = 10
"""Of what was sent, so many are listed."""


class WishesIn(ma.Schema):
    """What may be set of a channel besides where it goes."""

    name = Text(100, minimum=1, required=True)
    events = fields.List(Text(40), validate=validate.Length(1, 20), required=True)
    pace = fields.Enum(Pace, by_value=True, load_default=Pace.AT_ONCE)
    hour = fields.Integer(validate=validate.Range(0, 23), load_default=9)
    zone = Text(64, load_default="UTC")
    quiet_from = fields.Time(allow_none=True, load_default=None)
    quiet_until = fields.Time(allow_none=True, load_default=None)
    least_reports = fields.Integer(validate=validate.Range(1, 1000), load_default=1)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Wishes:
        quiet = {name: _minute(data[name]) for name in ("quiet_from", "quiet_until")}
        return Wishes(**{**data, **quiet})


class TargetIn(ma.Schema):
    """Where a channel goes, whatever its medium."""

    address = Text(254)
    url = Text(addresses.URL_LIMIT)
    token = Text(200)
    chat = Text(100)
    server = Text(addresses.URL_LIMIT)


def _minute(at: time | None) -> int | None:
    return None if at is None else at.hour * 60 + at.minute


@blueprint.get(HOME)
@signed_in(Scope.ADMIN)
def channels(who: Principal) -> Answer:
    """The site's channels, and the media that another may have."""
    with current.database().read() as session:
        found = verbs.of_site(session, who.site_id)
        where = {each.id: ", ".join(filter(None, verbs.shown(each).values())) for each in found}
        return show(
            session,
            who,
            "channels",
            channels=found,
            where=where,
            media=tuple(Medium),
            sends=bool(current.settings().smtp_url),
        )


@blueprint.get(f"{HOME}/new")
@signed_in(Scope.ADMIN)
def new_channel(who: Principal) -> Answer:
    """An empty form."""
    return _page(who, _medium())


@blueprint.post(HOME)
@signed_in(Scope.ADMIN)
def make_channel(who: Principal) -> Answer:
    """Make a channel."""
    kind = _medium()
    try:
        wishes, target = _wishes(), _target(kind, None)
        with current.database().write() as session:
            made = verbs.create(
                session, who.site_id, kind, target, wishes, by=who.label, now=current.now()
            )
    except InvalidFields as refusal:
        return _page(who, kind, typed=request.form, errors=forms.told(refusal)), refusal.status
    return back(f"channels/{made.id}", "channel")


@blueprint.get(f"{HOME}/<uuid:channel_id>")
@signed_in(Scope.ADMIN)
def channel(who: Principal, channel_id: UUID) -> Answer:
    """One channel: its form, and what was sent there."""
    return _page_of(who, channel_id)


@blueprint.post(f"{HOME}/<uuid:channel_id>")
@signed_in(Scope.ADMIN)
def save_channel(who: Principal, channel_id: UUID) -> Answer:
    """Save the form; a secret that is left empty stays."""
    with current.database().read() as session:
        kept = verbs.find(session, who.site_id, channel_id)
    try:
        wishes, target = _wishes(), _target(kept.medium, kept)
        with current.database().write() as session:
            check_seen(verbs.find(session, who.site_id, channel_id, lock=True))
            _change(session, who, channel_id, target, wishes)
    except InvalidFields as refusal:
        told = forms.told(refusal)
        return _page_of(who, channel_id, typed=request.form, errors=told), refusal.status
    except StaleVersion as refusal:
        return _page_of(who, channel_id, typed=request.form, is_stale=True), refusal.status
    return back(f"channels/{channel_id}", "channel")


@blueprint.post(f"{HOME}/<uuid:channel_id>/enabled")
@signed_in(Scope.ADMIN)
def switch_channel(who: Principal, channel_id: UUID) -> Answer:
    """Enable it, or disable it and fail what waits for it."""
    enabled: bool = forms.read(SwitchIn())["enabled"]
    with current.database().write() as session:
        _change(session, who, channel_id, enabled=enabled)
    return back(f"channels/{channel_id}", "enabled" if enabled else "disabled")


@blueprint.post(f"{HOME}/<uuid:channel_id>/test")
@signed_in(Scope.ADMIN)
@limiter.limit("10/minute")
def send_test_message(who: Principal, channel_id: UUID) -> Answer:
    """Send a test message now, and say what came of it."""
    with current.database().read() as session:
        parcel = verbs.trial(session, verbs.find(session, who.site_id, channel_id))
    with outward.carriers() as carriers:
        _, outcome = parcel.send(carriers, current.now())
    return _page_of(who, channel_id, tried=outcome, has_failed=isinstance(outcome, SendFailed))


@blueprint.post(f"{HOME}/<uuid:channel_id>/remove")
@signed_in(Scope.ADMIN)
def remove_channel(who: Principal, channel_id: UUID) -> Answer:
    """Delete it with its deliveries."""
    with current.database().write() as session:
        found = verbs.find(session, who.site_id, channel_id, lock=True)
        verbs.remove(session, found, by=who.label, now=current.now())
    return back("channels", "channel-removed")


def _change(
    session: Session,
    who: Principal,
    channel_id: UUID,
    target: dict[str, str] | None = None,
    wishes: Wishes | None = None,
    *,
    enabled: bool | None = None,
) -> None:
    found = verbs.find(session, who.site_id, channel_id, lock=True)
    verbs.change(
        session,
        found,
        target or found.target,
        wishes or verbs.wishes_of(found),
        enabled=found.enabled if enabled is None else enabled,
        by=who.label,
        now=current.now(),
    )


def _medium() -> Medium:
    try:
        return Medium(request.values.get("medium", Medium.MAIL))
    except ValueError:
        raise NotFound("There is no such medium.") from None


def _wishes() -> Wishes:
    form = request.form
    single = [name for name in WishesIn._declared_fields if name not in {"name", "events"}]
    body: dict[str, Any] = {name: form[name].strip() for name in single if form.get(name)}
    body |= {"name": forms.storable_text("name"), "events": form.getlist("events")}
    found: Wishes = forms.load(WishesIn(), body)
    return found


def _target(medium: Medium, kept: Channel | None) -> dict[str, str]:
    given: dict[str, str] = forms.load(
        TargetIn(), {name: request.form.get(name, "").strip() for name in verbs.FIELDS[medium]}
    )
    allowed = current.settings().webhook_allow_networks
    return verbs.checked_target(medium, given, allowed, kept.target if kept else None)


def _page_of(who: Principal, channel_id: UUID, **values: Any) -> str:
    with current.database().read() as session:
        found = verbs.find(session, who.site_id, channel_id)
        sent = history.deliveries(session, found, limit=SHOWN)
    return _page(who, found.medium, channel=found, sent=sent, **values)


def _page(who: Principal, medium: Medium, channel: Channel | None = None, **values: Any) -> str:
    with current.database().read() as session:
        return show(
            session,
            who,
            "channels",
            template="channel",
            channel=channel,
            medium=medium,
            target=verbs.shown(channel) if channel else {},
            since=changes_since_seen(session, channel, channel.name) if channel else [],
            fields_of=verbs.FIELDS[medium],
            optional=verbs.OPTIONAL,
            clock_time=verbs.clock_time,
            zones=[(zone, zone.replace("_", " ")) for zone in TIME_ZONES],
            zone=session.get_one(Site, who.site_id).time_zone,
            patterns=PATTERNS,
            sends=bool(current.settings().smtp_url),
            **values,
        )
