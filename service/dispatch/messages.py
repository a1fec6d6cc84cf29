"""What is sent: the body of an event, and the headers that sign it (Standard Webhooks 1.0)."""

import base64
import json
import secrets
from bisect import bisect_left
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from standardwebhooks import Webhook as Signer

from service import __version__
from service.models import Event, Webhook
from service.snapshots import instant

BODY_BYTES = 20 * 1024
SECRET_BYTES = 32
USER_AGENT = f"Corrigenda/{__version__}"
MASK = "…"

_SHORTENED = ("reports", "suggestions")


def body(event: Event) -> bytes:
    """The event as JSON in UTF-8, at most 20 KB, byte for byte the same whenever it is made.

    Where it would be longer, the last reports and then the last suggestions are left out and
    `data.shortened` is true; `report_count` still tells how many there are.
    """
    whole = _encode(event, event.data)
    if len(whole) <= BODY_BYTES:
        return whole
    data = dict(event.data, shortened=True)
    for name in _SHORTENED:
        _shorten(event, data, name)
    return _encode(event, data)


def _shorten(event: Event, data: dict[str, Any], name: str) -> None:
    """Keep as many of a list's items as there is room for."""
    items = list(data.get(name) or [])

    def is_too_long(count: int) -> bool:
        return len(_encode(event, {**data, name: items[:count]})) > BODY_BYTES

    room = bisect_left(range(len(items) + 1), True, key=is_too_long) - 1
    data[name] = items[: max(room, 0)]


def _encode(event: Event, data: Mapping[str, Any]) -> bytes:
    message = {"type": event.type, "timestamp": instant(event.created_at), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def headers(event_id: UUID, content: bytes, webhook: Webhook, *, at: datetime) -> dict[str, str]:
    """The headers of one attempt at `at`, with a second signature while secrets change."""
    text = content.decode()
    signatures = [Signer(secret).sign(str(event_id), at, text) for secret in _secrets(webhook, at)]
    return {
        **webhook.headers,
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _secrets(webhook: Webhook, at: datetime) -> list[str]:
    previous, until = webhook.previous_secret, webhook.previous_secret_until
    return [webhook.secret, previous] if previous and until and at < until else [webhook.secret]


def masked(sent: Mapping[str, str], webhook: Webhook) -> dict[str, str]:
    """Headers as they may be shown: the values of a webhook's own ones are secrets."""
    return {name: MASK if name in webhook.headers else value for name, value in sent.items()}


def new_secret() -> str:
    """A secret for signing: `whsec_` and 32 random bytes in Base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
