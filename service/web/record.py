"""The record for readers' pages and for machines: JSON by article, cacheable, by CORS."""

from dataclasses import fields as dataclass_fields
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, jsonify, request
from marshmallow import fields, validate

from service import addresses, catalogues
from service.models import Kind, Site
from service.record import entries
from service.record.entries import LIMIT, Narrowed
from service.web import cors, current, feeds
from service.web.bodies import Blueprint
from service.web.schemas import Text

blueprint = Blueprint("record", __name__, url_prefix="/api/v1", description="The record")

FRESH_SECONDS = 60
STALE_SECONDS = 600
"""An answer as old as this may be shown while a newer one is fetched (RFC 5861)."""

MOST = 200


class RecordQuery(ma.Schema):
    """Which entries; every filter that is given narrows the list."""

    url = Text(addresses.URL_LIMIT, load_default=None, metadata={"description": "An article's."})
    month = Text(7, load_default=None, metadata={"description": "As in `2026-03`, in UTC."})
    kind = fields.Enum(Kind, by_value=True, load_default=None)
    q = Text(200, load_default="")
    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(min=1, max=MOST))
    cursor = Text(32, load_default=None)
    locale = Text(35, load_default="", metadata={"description": "Of the texts (BCP 47)."})

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        names = {field.name for field in dataclass_fields(Narrowed)}
        narrowed = {name: data.pop(name) for name in names & set(data)}
        return {"narrowed": Narrowed(**narrowed), **data}


class PieceOut(ma.Schema):
    """A part of a word diff."""

    kind = fields.String(required=True, validate=validate.OneOf(["same", "delete", "insert"]))
    text = fields.String(required=True)


class EntryOut(ma.Schema):
    """One entry; of a withdrawn one only that it was there, when and why it went."""

    id = fields.UUID(required=True)
    url = fields.URL(required=True, metadata={"description": "The permalink."})
    kind = fields.Enum(Kind, by_value=True, required=True)
    article = fields.Dict(required=True)
    said = fields.String(required=True, allow_none=True)
    says = fields.String(required=True, allow_none=True)
    diff = fields.List(fields.Nested(PieceOut), required=True)
    note = fields.String(required=True, allow_none=True)
    thanks = fields.String(required=True, allow_none=True)
    published_at = fields.DateTime(required=True)
    changed_at = fields.DateTime(required=True, allow_none=True)
    withdrawn_at = fields.DateTime(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True, allow_none=True)


class RecordOut(ma.Schema):
    """One page of the record."""

    items = fields.List(fields.Nested(EntryOut), required=True)
    next = fields.String(required=True, allow_none=True)
    record_url = fields.URL(required=True)
    json_ld = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "Where `url` is asked for: the article's, for schema.org."},
    )
    locale = fields.String(required=True, metadata={"description": "BCP 47"})
    dir = fields.String(required=True, validate=validate.OneOf(["ltr", "rtl"]))
    strings = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


@blueprint.route("/sites/<key>/record")
@blueprint.arguments(RecordQuery, location="query")
@blueprint.response(200, RecordOut)
def record(query: dict[str, Any], key: str) -> Response:
    """What is published of a site's corrections, the newest first."""
    site, locale = cors.site(), query.pop("locale")
    with current.database().read() as session:
        page = entries.page(session, site, now=current.now(), **query)
    texts = catalogues.spoken("record", site, locale)
    found = [linked(site, entry) for entry in page.entries]
    made = jsonify(
        items=found,
        next=page.next,
        record_url=home(site),
        json_ld=feeds.json_ld(site, found, texts) if query["narrowed"].url else None,
        locale=texts.locale,
        dir=texts.direction,
        strings=texts.words,
    )
    if page.next:
        asked = {**request.args.to_dict(), "cursor": page.next}
        made.headers["Link"] = f'<{request.path}?{urlencode(asked)}>; rel="next"'
    return cacheable(made)


def home(site: Site) -> str:
    """The address of a site's record."""
    return f"{current.settings().public_url}/record/{site.key}"


def linked(site: Site, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with its permalink."""
    return {**entry, "url": f"{home(site)}/{entry['id']}"}


def cacheable(made: Response) -> Response:
    """Let everybody keep the answer for a minute, and ask whether it has changed."""
    made.cache_control.public = True
    made.cache_control.max_age = FRESH_SECONDS
    made.cache_control.stale_while_revalidate = STALE_SECONDS
    made.add_etag()
    made.make_conditional(request)
    return made
