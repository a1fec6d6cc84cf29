"""The editors' API for webhooks: endpoints, their secrets, and what was delivered to them."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import marshmallow as ma
from flask import Response, jsonify, request
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from service import addresses
from service.accounts.principals import Scope
from service.dispatch import history, messages, webhooks
from service.dispatch.history import Sent
from service.models import Attempt, DeliveryState, Webhook
from service.snapshots import instant
from service.web import current
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import Blueprint
from service.web.schemas import Instant, Text

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/v1", description="Webhooks")


class WebhookFields(ma.Schema):
    """What may be set."""

    url = Text(addresses.URL_LIMIT, minimum=1)
    events = fields.List(Text(40, minimum=1), validate=validate.Length(1, 20))
    description = Text(200)
    headers = fields.Dict(keys=Text(100), values=Text(1000))
    enabled = fields.Boolean()


class WebhookIn(WebhookFields):
    """A new webhook."""

    url = Text(addresses.URL_LIMIT, minimum=1, required=True)
    events = fields.List(
        Text(40, minimum=1), validate=validate.Length(1, 20), load_default=["correction.*"]
    )


class WebhookOut(ma.Schema):
    """A webhook; the values of its own headers are masked."""

    id = fields.UUID(required=True)
    url = fields.String(required=True)
    description = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    enabled = fields.Boolean(required=True)
    disabled_reason = fields.String(required=True, allow_none=True)
    failing_since = fields.String(required=True, allow_none=True)
    previous_secret_until = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)
    updated_at = fields.String(required=True)


class WebhookWithSecretOut(WebhookOut):
    """A webhook with its secret, shown this once."""

    secret = fields.String(required=True)


class WebhooksOut(ma.Schema):
    """The site's webhooks."""

    items = fields.List(fields.Nested(WebhookOut), required=True)


class DeliveriesIn(ma.Schema):
    """Which deliveries, the newest first."""

    state = fields.Enum(DeliveryState, by_value=True, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.UUID(load_default=None)


class AttemptOut(ma.Schema):
    """One try: the headers as sent, the first 16 KB of the answer."""

    started_at = fields.String(required=True)
    duration_ms = fields.Integer(required=True)
    request = fields.Dict(required=True, allow_none=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    response = fields.String(required=True, allow_none=True)


class DeliveryOut(ma.Schema):
    """One event on its way to one endpoint."""

    id = fields.UUID(required=True)
    event_id = fields.UUID(required=True)
    type = fields.String(required=True)
    state = fields.Enum(DeliveryState, by_value=True, required=True)
    attempt_count = fields.Integer(required=True)
    next_attempt_at = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)
    finished_at = fields.String(required=True, allow_none=True)
    body = fields.String(required=True)
    attempts = fields.List(fields.Nested(AttemptOut), required=True)


class DeliveriesOut(ma.Schema):
    """One page of deliveries."""

    items = fields.List(fields.Nested(DeliveryOut), required=True)
    next = fields.String(required=True, allow_none=True)


class SinceIn(ma.Schema):
    """From a moment on (RFC 3339, with a zone)."""

    since = Instant(format="iso", required=True)


class CountOut(ma.Schema):
    """How many deliveries were queued."""

    count = fields.Integer(required=True)


@blueprint.route("/webhooks", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.response(200, WebhooksOut)
def list_webhooks() -> Response:
    """The site's webhooks, the oldest first."""
    with current.database().read() as session:
        found = webhooks.of_site(session, principal().site_id)
    return jsonify(items=[shown(webhook) for webhook in found])


@blueprint.route("/webhooks", methods=["POST"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(WebhookIn)
@blueprint.response(201, WebhookWithSecretOut)
def create_webhook(wanted: dict[str, Any]) -> Response:
    """Make a webhook; its secret is shown this once."""
    who, values = principal(), checked(wanted)
    enabled = values.pop("enabled", None)
    with current.database().write() as session:
        made = webhooks.create(session, who.site_id, by=who.label, now=current.now(), **values)
        webhooks.change(session, made, by=who.label, now=current.now(), enabled=enabled)
    answer = jsonify({**shown(made), "secret": made.secret})
    answer.status_code = 201
    answer.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    return answer


@blueprint.route("/webhooks/<uuid:webhook_id>", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.response(200, WebhookOut)
def get_webhook(webhook_id: UUID) -> Response:
    """One webhook."""
    with current.database().read() as session:
        return jsonify(shown(webhooks.find(session, principal().site_id, webhook_id)))


@blueprint.route("/webhooks/<uuid:webhook_id>", methods=["PATCH"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(WebhookFields)
@blueprint.response(200, WebhookOut)
def change_webhook(wanted: dict[str, Any], webhook_id: UUID) -> Response:
    """Change some of it; deliveries that wait for a webhook which is disabled have failed."""
    values = checked(wanted)
    with current.database().write() as session:
        webhook = _locked(session, webhook_id)
        webhooks.change(session, webhook, by=principal().label, now=current.now(), **values)
    return jsonify(shown(webhook))


@blueprint.route("/webhooks/<uuid:webhook_id>", methods=["DELETE"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.response(204)
def delete_webhook(webhook_id: UUID) -> Response:
    """Delete it with its deliveries."""
    with current.database().write() as session:
        webhook = _locked(session, webhook_id)
        webhooks.remove(session, webhook, by=principal().label, now=current.now())
    return Response(status=204)


@blueprint.route("/webhooks/<uuid:webhook_id>/ping", methods=["POST"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.response(202, DeliveryOut)
def ping_webhook(webhook_id: UUID) -> Response:
    """Send a `ping`; the list of deliveries tells how it went."""
    with current.database().write() as session:
        webhook = _locked(session, webhook_id)
        sent = webhooks.ping(session, webhook, now=current.now())
    current.parts().on_event()
    return _accepted(shown_delivery(sent))


@blueprint.route("/webhooks/<uuid:webhook_id>/rotate-secret", methods=["POST"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.response(200, WebhookWithSecretOut)
def rotate_secret(webhook_id: UUID) -> Response:
    """Give it a new secret, shown this once; both sign for 24 hours."""
    with current.database().write() as session:
        webhook = _locked(session, webhook_id)
        webhooks.rotate_secret(session, webhook, by=principal().label, now=current.now())
    return jsonify({**shown(webhook), "secret": webhook.secret})


@blueprint.route("/webhooks/<uuid:webhook_id>/deliveries", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(DeliveriesIn, location="query")
@blueprint.response(200, DeliveriesOut)
def list_deliveries(query: dict[str, Any], webhook_id: UUID) -> Response:
    """What was sent to it, with every attempt."""
    with current.database().read() as session:
        webhook = webhooks.find(session, principal().site_id, webhook_id)
        found = history.deliveries(
            session,
            webhook,
            limit=query["limit"] + 1,
            before=query["cursor"],
            state=query["state"],
        )
    page = found[: query["limit"]]
    cursor = str(page[-1].delivery.id) if len(found) > len(page) else None
    made = jsonify(items=[shown_delivery(sent) for sent in page], next=cursor)
    if cursor:
        asked = {**request.args.to_dict(), "cursor": cursor}
        made.headers["Link"] = f'<{request.path}?{urlencode(asked)}>; rel="next"'
    return made


@blueprint.route("/webhooks/<uuid:webhook_id>/redeliver", methods=["POST"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(SinceIn)
@blueprint.response(202, CountOut)
def redeliver_failed(wanted: dict[str, Any], webhook_id: UUID) -> Response:
    """Send again all that has failed since a moment."""
    with current.database().write() as session:
        webhook = _locked(session, webhook_id)
        count = history.redeliver_failed(
            session, webhook, **wanted, by=principal().label, now=current.now()
        )
    current.parts().on_event()
    return _accepted({"count": count})


@blueprint.route("/webhooks/<uuid:webhook_id>/replay", methods=["POST"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(SinceIn)
@blueprint.response(202, CountOut)
def replay(wanted: dict[str, Any], webhook_id: UUID) -> Response:
    """Send past events that it has not heard of, from a moment on."""
    with current.database().write() as session:
        webhook = _locked(session, webhook_id)
        count = history.replay(session, webhook, **wanted, by=principal().label, now=current.now())
    current.parts().on_event()
    return _accepted({"count": count})


@blueprint.route("/deliveries/<uuid:delivery_id>/redeliver", methods=["POST"])
@needs(Scope.ADMIN)
@blueprint.doc(security=SECURITY)
@blueprint.response(202, DeliveryOut)
def redeliver(delivery_id: UUID) -> Response:
    """Send one delivery again, under the same id."""
    with current.database().write() as session:
        who = principal()
        sent = history.redeliver(session, who.site_id, delivery_id, by=who.label, now=current.now())
    current.parts().on_event()
    return _accepted(shown_delivery(sent))


def shown(webhook: Webhook) -> dict[str, Any]:
    """A webhook as the API shows it, without its secret."""
    return {
        "id": str(webhook.id),
        "url": webhook.url,
        "description": webhook.description,
        "events": webhook.events,
        "headers": messages.masked(webhook.headers, webhook),
        "enabled": webhook.enabled,
        "disabled_reason": webhook.disabled_reason,
        "failing_since": instant(webhook.failing_since),
        "previous_secret_until": instant(webhook.previous_secret_until),
        "created_at": instant(webhook.created_at),
        "updated_at": instant(webhook.updated_at),
    }


def shown_delivery(sent: Sent) -> dict[str, Any]:
    """A delivery as the API shows it."""
    delivery = sent.delivery
    return {
        "id": str(delivery.id),
        "event_id": str(delivery.event_id),
        "type": sent.event.type,
        "state": delivery.state.value,
        "attempt_count": delivery.attempt_count,
        "next_attempt_at": instant(delivery.next_attempt_at),
        "created_at": instant(delivery.created_at),
        "finished_at": instant(delivery.finished_at),
        "body": messages.body_of(sent.event).decode(),
        "attempts": [_shown_attempt(attempt) for attempt in sent.attempts],
    }


def _shown_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "started_at": instant(attempt.started_at),
        "duration_ms": attempt.duration_ms,
        "request": attempt.request,
        "status": attempt.status,
        "error": attempt.error,
        "response": attempt.response,
    }


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """The body as the verbs want it; the name server is asked before a transaction begins."""
    values = dict(wanted)
    if "url" in values:
        allowed = current.settings().webhook_allow_networks
        values["url"] = webhooks.checked_url(values["url"], allowed)
    if "events" in values:
        values["patterns"] = values.pop("events")
    return values


def _locked(session: Session, webhook_id: UUID) -> Webhook:
    return webhooks.find(session, principal().site_id, webhook_id, lock=True)


def _accepted(content: dict[str, Any]) -> Response:
    made = jsonify(content)
    made.status_code = 202
    return made
