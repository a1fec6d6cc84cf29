"""Webhooks at the desk: each with its form, its secret, and what was delivered to it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import redirect, request
from flask_babel import gettext
from marshmallow import fields
from sqlalchemy.orm import Session

from service import events
from service.accounts.principals import Principal, Scope
from service.dispatch import applying, history, messages
from service.dispatch import webhooks as verbs
from service.errors import InvalidFields, StaleVersion, invalid
from service.models import DeliveryState, Webhook
from service.web import current, forms
from service.web.bodies import Parser
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import back, changes_since_seen, check_seen, show
from service.web.webhooks import DeliveriesIn, WebhookIn, checked

HOME = "/review/settings/webhooks"
PATTERNS = ["*", "correction.*", *events.TYPES]
PAGE = 25
A_DAY = timedelta(days=1)


class SwitchIn(ma.Schema):
    """On or off."""

    enabled = fields.Boolean(required=True)


@blueprint.get(HOME)
@signed_in(Scope.ADMIN)
def webhooks(who: Principal) -> Answer:
    """The site's webhooks."""
    with current.database().read() as session:
        found = verbs.of_site(session, who.site_id)
        applies = any(map(applying.is_for_applying, found))
        return show(session, who, "webhooks", webhooks=found, applies=applies)


@blueprint.get(f"{HOME}/new")
@signed_in(Scope.ADMIN)
def new_webhook(who: Principal) -> Answer:
    """An empty form; with `?events=correction.apply` that of the apply endpoint."""
    return _form(who)


@blueprint.post(HOME)
@signed_in(Scope.ADMIN)
def make_webhook(who: Principal) -> Answer:
    """Make a webhook and show its secret, this once."""
    try:
        values = checked(_wanted({}))
        with current.database().write() as session:
            made = verbs.create(session, who.site_id, by=who.label, now=current.now(), **values)
    except InvalidFields as refusal:
        return _form(who, typed=request.form, errors=_told(refusal)), refusal.status
    return _page(who, made.id, secret=made.secret)


@blueprint.get(f"{HOME}/<uuid:webhook_id>")
@signed_in(Scope.ADMIN)
def webhook(who: Principal, webhook_id: UUID) -> Answer:
    """One webhook: how it is, and what was delivered to it."""
    return _page(who, webhook_id)


@blueprint.get(f"{HOME}/<uuid:webhook_id>/edit")
@signed_in(Scope.ADMIN)
def edit_webhook(who: Principal, webhook_id: UUID) -> Answer:
    """Its form; values of its own headers are masked."""
    return _form(who, webhook_id)


@blueprint.post(f"{HOME}/<uuid:webhook_id>")
@signed_in(Scope.ADMIN)
def save_webhook(who: Principal, webhook_id: UUID) -> Answer:
    """Save the form; a header whose value is still the mask keeps the value it has."""
    with current.database().read() as session:
        kept = verbs.find(session, who.site_id, webhook_id).headers
    try:
        values = checked(_wanted(kept))
        with current.database().write() as session:
            found = _locked(session, who, webhook_id)
            check_seen(found)
            verbs.change(session, found, **values, **_done(who))
    except InvalidFields as refusal:
        told = _told(refusal)
        return _form(who, webhook_id, typed=request.form, errors=told), refusal.status
    except StaleVersion as refusal:
        return _form(who, webhook_id, typed=request.form, is_stale=True), refusal.status
    return back(f"webhooks/{webhook_id}", "webhook")


@blueprint.post(f"{HOME}/<uuid:webhook_id>/enabled")
@signed_in(Scope.ADMIN)
def switch_webhook(who: Principal, webhook_id: UUID) -> Answer:
    """Enable it, or disable it and fail what waits for it."""
    enabled: bool = forms.read(SwitchIn())["enabled"]
    with current.database().write() as session:
        verbs.change(session, _locked(session, who, webhook_id), enabled=enabled, **_done(who))
    return back(f"webhooks/{webhook_id}", "enabled" if enabled else "disabled")


@blueprint.post(f"{HOME}/<uuid:webhook_id>/ping")
@signed_in(Scope.ADMIN)
def send_ping(who: Principal, webhook_id: UUID) -> Answer:
    """Send a `ping`; the list of deliveries tells how it went."""
    with current.database().write() as session:
        verbs.ping(session, _locked(session, who, webhook_id), now=current.now())
    current.parts().on_event()
    return back(f"webhooks/{webhook_id}", "ping")


@blueprint.post(f"{HOME}/<uuid:webhook_id>/secret")
@signed_in(Scope.ADMIN)
def renew_secret(who: Principal, webhook_id: UUID) -> Answer:
    """Give it a new secret, shown this once."""
    with current.database().write() as session:
        changed = _locked(session, who, webhook_id)
        verbs.rotate_secret(session, changed, **_done(who))
    return _page(who, webhook_id, secret=changed.secret)


@blueprint.post(f"{HOME}/<uuid:webhook_id>/redeliver")
@signed_in(Scope.ADMIN)
def send_failed_again(who: Principal, webhook_id: UUID) -> Answer:
    """Send again all that has failed since a moment."""
    return _queued(who, webhook_id, history.redeliver_failed)


@blueprint.post(f"{HOME}/<uuid:webhook_id>/replay")
@signed_in(Scope.ADMIN)
def replay_events(who: Principal, webhook_id: UUID) -> Answer:
    """Send past events that it has not heard of, from a day on."""
    return _queued(who, webhook_id, history.replay)


@blueprint.post(f"{HOME}/<uuid:webhook_id>/remove")
@signed_in(Scope.ADMIN)
def remove_webhook(who: Principal, webhook_id: UUID) -> Answer:
    """Delete it with its deliveries."""
    with current.database().write() as session:
        verbs.remove(session, _locked(session, who, webhook_id), **_done(who))
    return back("webhooks", "webhook-removed")


@blueprint.get(f"{HOME}/deliveries/<uuid:delivery_id>")
@signed_in(Scope.ADMIN)
def delivery(who: Principal, delivery_id: UUID) -> Answer:
    """What was sent, each time it was, and what was answered."""
    with current.database().read() as session:
        sent, webhook = history.find(session, who.site_id, delivery_id)
        body = messages.body_of(sent.event).decode()
        return show(
            session, who, "webhooks", template="delivery", sent=sent, webhook=webhook, body=body
        )


@blueprint.post(f"{HOME}/deliveries/<uuid:delivery_id>/redeliver")
@signed_in(Scope.ADMIN)
def send_again(who: Principal, delivery_id: UUID) -> Answer:
    """Send one delivery again, under the same id."""
    with current.database().write() as session:
        history.redeliver(session, who.site_id, delivery_id, **_done(who))
    current.parts().on_event()
    return back(f"webhooks/deliveries/{delivery_id}", "redelivered")


def _queued(who: Principal, webhook_id: UUID, verb: Any) -> Answer:
    """Queue deliveries since a moment; back to the page, which says how many."""
    try:
        since = forms.moment("since")
    except InvalidFields as refusal:
        return _page(who, webhook_id, errors=forms.told(refusal)), refusal.status
    with current.database().write() as session:
        count = verb(session, _locked(session, who, webhook_id), since=since, **_done(who))
    current.parts().on_event()
    return redirect(f"{HOME}/{webhook_id}?queued={count}", 303)


def _done(who: Principal) -> dict[str, Any]:
    return {"by": who.label, "now": current.now()}


def _locked(session: Session, who: Principal, webhook_id: UUID) -> Webhook:
    return verbs.find(session, who.site_id, webhook_id, lock=True)


def _wanted(kept: Mapping[str, str]) -> dict[str, Any]:
    """The form as the API would be sent it."""
    body = {
        "url": request.form.get("url", "").strip(),
        "description": forms.storable_text("description"),
        "events": request.form.getlist("events"),
        "headers": dict(_headers(request.form.get("headers", ""), kept)),
    }
    wanted: dict[str, Any] = forms.load(WebhookIn(), body)
    return wanted


def _headers(text: str, kept: Mapping[str, str]) -> list[tuple[str, str]]:
    """`Name: value` on each line; the mask stands for the value that the header has."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise invalid("/headers", "Write one header a line, as in X-Api-Key: value.")
        found.append((name, kept.get(name, value) if value == messages.MASK else value))
    return found


def _told(refusal: InvalidFields) -> dict[str, str]:
    """What is wrong with each field; of a header also with which."""
    told = forms.told(refusal)
    for error in refusal.errors:
        if error["pointer"].startswith("/headers/"):
            name = error["pointer"].removeprefix("/headers/").replace("~1", "/").replace("~0", "~")
            told["headers"] = f"{name}: {gettext(error['detail'])}"
    return told


def _form(who: Principal, webhook_id: UUID | None = None, **values: Any) -> str:
    with current.database().read() as session:
        webhook = verbs.find(session, who.site_id, webhook_id) if webhook_id else None
        events = webhook.events if webhook else request.values.getlist("events")
        return show(
            session,
            who,
            "webhooks",
            template="webhook-form",
            webhook=webhook,
            applies=events == [applying.APPLY],
            headers=messages.masked(webhook.headers, webhook) if webhook else {},
            since=changes_since_seen(session, webhook, webhook.url) if webhook else [],
            patterns=PATTERNS,
            **values,
        )


def _page(who: Principal, webhook_id: UUID, **values: Any) -> str:
    asked = Parser().parse(DeliveriesIn(), request, location="query", unknown="exclude")
    state, before = asked["state"], asked["cursor"]
    with current.database().read() as session:
        webhook = verbs.find(session, who.site_id, webhook_id)
        sent = history.deliveries(session, webhook, limit=PAGE + 1, before=before, state=state)
        return show(
            session,
            who,
            "webhooks",
            template="webhook",
            webhook=webhook,
            applies=applying.is_for_applying(webhook),
            sent=sent[:PAGE],
            next=sent[PAGE - 1].delivery.id if len(sent) > PAGE else None,
            asked=asked,
            delivery_states=(DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.FAILED),
            since=forms.local(webhook.failing_since or current.now() - A_DAY),
            queued=request.args.get("queued", type=int),
            **values,
        )
