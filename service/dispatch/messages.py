"""What is sent: the body of an event, and the headers that sign it (Standard Webhooks 1.0)."""

import base64
import json
import secrets
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Message:
    """What of an event is sent."""

    id: UUID
    type: str
    created_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Content:
    """What all deliveries of one event send, made once: its id and the body."""

    id: str
    text: str

    @classmethod
    def of(cls, message: Message) -> "Content":
        """That of a message."""
        return cls(str(message.id), body(message).decode())


def body_of(event: Event) -> bytes:
    """The body that an event is sent with."""
    return body(Message(event.id, event.type, event.created_at, event.data))


def body(message: Message) -> bytes:
    """The message as JSON in UTF-8, at most 20 KB, byte for byte the same whenever it is made.

    Where it would be longer, the last reports and then the last suggestions are left out and
    `data.shortened` is true; `report_count` still tells how many there are.
    """
    whole = _encode(message, message.data)
    if len(whole) <= BODY_BYTES:
        return whole
    data = dict(message.data, shortened=True)
    for name in _SHORTENED:
        _shorten(message, data, name)
    return _encode(message, data)


def _shorten(message: Message, data: dict[str, Any], name: str) -> None:
    """Keep as many of a list's items as there is room for."""
    items = list(data.get(name) or [])

    def is_too_long(count: int) -> bool:
        return len(_encode(message, {**data, name: items[:count]})) > BODY_BYTES

    room = bisect_left(range(len(items) + 1), True, key=is_too_long) - 1
    data[name] = items[: max(room, 0)]


def _encode(message: Message, data: Mapping[str, Any]) -> bytes:
    told = {"type": message.type, "timestamp": instant(message.created_at), "data": data}
    return _JSON.encode(told).encode()


def headers(content: Content, webhook: Webhook, *, at: datetime) -> dict[str, str]:
    """The headers of one attempt at `at`, with a second signature while secrets change."""
    signatures = [
        _signer(secret).sign(content.id, at, content.text) for secret in _secrets(webhook, at)
    ]
    return {
        **webhook.headers,
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": content.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@lru_cache(256)
def _signer(secret: str) -> Signer:
    return Signer(secret)


def _secrets(webhook: Webhook, at: datetime) -> list[str]:
    previous, until = webhook.previous_secret, webhook.previous_secret_until
    return [webhook.secret, previous] if previous and until and at < until else [webhook.secret]


def masked(sent: Mapping[str, str], webhook: Webhook) -> dict[str, str]:
    """Headers as they may be shown: the values of a webhook's own ones are secrets."""
    if not webhook.headers:
        return dict(sent)
    return {name: MASK if name in webhook.headers else value for name, value in sent.items()}


def new_secret() -> str:
    """A secret for signing: `whsec_` and 32 random bytes in Base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
