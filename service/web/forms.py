"""Forms of our own pages: sent from our own pages only, and from this very session."""

import hmac
from typing import Any

import marshmallow as ma
from flask import Request, request

from service.errors import CrossSiteRequest
from service.hashing import keyed
from service.web import current
from service.web.bodies import Parser

FIELD = "form_token"


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
        ours = {current.settings().public_url, request.host_url.rstrip("/")}
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
        if "deletes" in sent:
            sent["suggestion"] = ""
        return sent


def read(schema: ma.Schema) -> Any:
    """The current request's form, checked by the schema; raises InvalidFields."""
    return FormParser().parse(schema, request, location="form", unknown=ma.EXCLUDE)
