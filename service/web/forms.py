"""Forms of our own pages: sent from our own pages only, and from this very session."""

import hmac
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from flask import Request, request
from flask_babel import get_timezone, gettext

from service.errors import CrossSiteRequest, InvalidFields, invalid
from service.hashing import keyed
from service.web import current
from service.web.bodies import Parser, refusal_of

FIELD = "form_token"

NUMBER_DIGITS = 9
"""As long a number of a form may be: every database keeps it."""


def token_for(session_token: str) -> str:
    """The token that every form of this session carries."""
    return keyed(current.settings().secret_key, "form", session_token)


def check_origin() -> None:
    """Raise CrossSiteRequest where a browser says that another site sent this.

    `Sec-Fetch-Site` decides where it is sent, `Origin` elsewhere; a client that sends neither is
    no browser, and no browser means no cookie that another site could ride on.
    """
    fetched_from = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if fetched_from is not None:
        is_ours = fetched_from in {"same-origin", "none"}
    else:
        ours = {current.settings().public_url}
        if not current.settings().is_secure:
            ours.add(request.host_url.rstrip("/"))
        is_ours = origin is None or origin in ours
    if not is_ours:
        raise CrossSiteRequest("This form was not sent from our own page.")


def check(session_token: str) -> None:
    """Raise CrossSiteRequest unless the form comes from our own page and from this session."""
    check_origin()
    sent = request.form.get(FIELD, "")
    if not hmac.compare_digest(sent.encode(), token_for(session_token).encode()):
        raise CrossSiteRequest("This form is out of date. Go back, reload the page, try again.")


def place(given: str | None, default: str = "/review") -> str:
    """A path on this host to go on to; anything else gives the default."""
    path = given or ""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\"))
    if not is_path or not path.isprintable():
        return default
    return path


class FormParser(Parser):
    """Reads a form as if it were a JSON body: an empty field is null, others are ignored."""

    def load_form(self, req: Request, schema: ma.Schema) -> dict[str, str | None]:
        """The form's fields; line ends, which browsers send as in mail, become single."""
        sent = {
            name: value.strip().replace("\r\n", "\n") or None for name, value in req.form.items()
        }
        if "wording" in sent:
            sent.setdefault("suggestion", sent["wording"])
        if "deletes" in sent:
            sent["suggestion"] = ""
        return sent


def told(refusal: InvalidFields) -> dict[str, str]:
    """What is wrong with each field, by its name, in the language of who is asking.

    In the order in which the fields were sent, which is that of the page.
    """
    found: dict[str, str] = {}
    for error in refusal.errors:
        name = error["pointer"].removeprefix("/").partition("/")[0]
        found.setdefault(name, gettext(error["detail"]))
    order = [*request.args, *request.form, *found]
    return dict(sorted(found.items(), key=lambda one: order.index(one[0])))


def storable_text(field: str) -> str:
    """A field of the form without characters that no database holds."""
    text = request.form.get(field, "").strip()
    return "".join(character for character in text if character.isprintable())


def number(text: str) -> int | None:
    """The number that a field of a form says; None where it is none, or too long for one."""
    return int(text) if text.isdecimal() and len(text) <= NUMBER_DIGITS else None


def moment(field: str) -> datetime:
    """The instant of a date, or of a date and time, by the clock of who is asking.

    Raises InvalidFields.
    """
    try:
        typed = datetime.fromisoformat(request.form.get(field, ""))
        return typed.replace(tzinfo=get_timezone()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(f"/{field}", "Give a date and a time.") from None


def local(at: datetime) -> str:
    """An instant as a browser's field for date and time has it, by the clock of who is asking."""
    return f"{at.astimezone(get_timezone()):%Y-%m-%dT%H:%M}"


def load(schema: ma.Schema, body: dict[str, Any]) -> Any:
    """What a schema makes of a form that was put together as a body; raises InvalidFields."""
    if errors := schema.validate(body):
        raise refusal_of(errors)
    return schema.load(body)


def read(schema: ma.Schema) -> Any:
    """The current request's form, checked by the schema; raises InvalidFields."""
    return FormParser().parse(schema, request, location="form", unknown=ma.EXCLUDE)
