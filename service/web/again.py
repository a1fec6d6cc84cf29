"""A form that came when its session was over: the sign-in keeps what it says, and it is offered
again.

What is kept travels in the sign-in form itself, sealed, so that nobody can have us offer a form
that was not sent from our own page.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import timedelta

from flask import request

from service.errors import CrossSiteRequest
from service.hashing import keyed
from service.web import current, forms

FIELD = "kept"
LIFETIME = timedelta(hours=1)
LONGEST = 40_000
"""So many characters are kept; with the rest of the sign-in form they have to fit into a body."""

MARKS = frozenset(
    {
        *(forms.FIELD, FIELD, "next", "back", "from", "since", "seen", "seen_at"),
        *("version", "entry_version", "key", "ids", "act", "action", "to", "preview", "state"),
        *("suspected", "medium", "kind", "enabled", "site"),
    }
)
"""Fields that the page filled in itself, or that a button stands for."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent: where to, and its fields in order."""

    path: str
    fields: list[tuple[str, str]]

    @property
    def words(self) -> list[str]:
        """What somebody typed or chose."""
        typed = (value for name, value in self.fields if name not in MARKS and value.strip())
        return [value.replace("\r\n", "\n") for value in typed]


def keep() -> str:
    """The form of this request, sealed; empty where nothing was typed, or it is not to be kept."""
    try:
        forms.check_origin()
    except CrossSiteRequest:
        return ""
    fields = [pair for pair in request.form.items(multi=True) if pair[0] != forms.FIELD]
    is_secret = any("password" in name or name == "code" for name, _ in fields)
    if is_secret or not Form(request.path, fields).words:
        return ""
    until = int((current.now() + LIFETIME).timestamp())
    text = json.dumps([until, request.path, fields], ensure_ascii=False)
    return f"{_seal(text)}.{text}" if len(text) <= LONGEST else ""


def read() -> Form | None:
    """The form that the sign-in of this request brings along; None without one, or too late."""
    seal, _, text = request.form.get(FIELD, "").partition(".")
    if not text or not hmac.compare_digest(seal.encode(), _seal(text).encode()):
        return None
    until, path, fields = json.loads(text)
    if until < current.now().timestamp():
        return None
    return Form(path, [(name, value) for name, value in fields])


def _seal(text: str) -> str:
    return keyed(current.settings().secret_key, "kept form", text)
