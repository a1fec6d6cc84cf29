"""Exports over HTTP, streamed: for holders of a token, and for the desk."""

from itertools import chain
from uuid import UUID

from flask import Response

from service.accounts.principals import Scope
from service.desk.exports import FORMATS
from service.desk.filters import Filters
from service.web import current
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import Blueprint
from service.web.corrections import NarrowedIn

blueprint = Blueprint("exports", __name__, url_prefix="/api/v1", description="What leaves")

_TEXT = {"type": "string"}


MARK = "\ufeff"
"""By which spreadsheets know UTF-8 when a file is opened with a click; programs stumble on it."""


def download(site_id: UUID, ending: str, filters: Filters, *, start: str = "") -> Response:
    """The corrections as a file to save, written while it is read."""
    form = FORMATS[ending]
    parts = chain([start], form.parts(current.database(), site_id, filters))
    made = Response(parts, content_type=f"{form.media_type}; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="corrections.{ending}"'
    return made


@blueprint.route("/corrections.csv")
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(NarrowedIn, location="query")
@blueprint.response(200, _TEXT, content_type=FORMATS["csv"].media_type)
def export_csv(filters: Filters) -> Response:
    """All corrections as a table, the oldest first; no cell begins a formula."""
    return download(principal().site_id, "csv", filters)


@blueprint.route("/corrections.jsonl")
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(NarrowedIn, location="query")
@blueprint.response(200, _TEXT, content_type=FORMATS["jsonl"].media_type)
def export_jsonl(filters: Filters) -> Response:
    """All corrections as W3C annotations, one a line, the oldest first."""
    return download(principal().site_id, "jsonl", filters)
