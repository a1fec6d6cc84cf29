"""Articles from the newsroom: a new text, in which corrections are found again."""

from datetime import UTC
from typing import Any

import marshmallow as ma
from flask import jsonify
from flask.wrappers import Response
from marshmallow import fields, validate

from service.accounts.principals import Scope
from service.desk import revisions
from service.desk.revisions import NewText
from service.models import TITLE_LIMIT, Site
from service.web import current
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import ARTICLE_LIMIT, Blueprint
from service.web.schemas import Address, Instant, Text

blueprint = Blueprint(
    "articles", __name__, url_prefix="/api/v1/articles", description="From the newsroom's systems"
)


class ArticleIn(ma.Schema):
    """An article as it is published now: its page's HTML, or its text."""

    url = Address(required=True)
    title = Text(TITLE_LIMIT, load_default=None, allow_none=True)
    html = Text(ARTICLE_LIMIT, load_default=None, allow_none=True)
    text = Text(
        ARTICLE_LIMIT,
        load_default=None,
        allow_none=True,
        metadata={"description": "By the text rule: paragraphs are two line feeds apart."},
    )
    published_at = Instant(
        load_default=None,
        allow_none=True,
        default_timezone=UTC,
        metadata={"description": "A text published before the newest one changes nothing."},
    )

    section = Text(
        100,
        load_default=None,
        allow_none=True,
        metadata={"description": "For the statistics; else the first folder of the URL."},
    )
    tags = fields.List(
        Text(100, minimum=1), load_default=None, allow_none=True, validate=validate.Length(max=50)
    )

    @ma.validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if (data["html"] is None) == (data["text"] is None):
            raise ma.ValidationError("Send either html or text.", "html")


class PushedOut(ma.Schema):
    """What the new text means for the article's open corrections."""

    revision = fields.Integer(required=True)
    kept = fields.Integer(required=True, metadata={"description": "As they were before."})
    moved = fields.Integer(required=True, metadata={"description": "Found elsewhere."})
    changed = fields.Integer(
        required=True, metadata={"description": "Other words stand in their place."}
    )
    orphaned = fields.Integer(required=True, metadata={"description": "No longer found."})
    fixed = fields.List(
        fields.UUID(),
        required=True,
        metadata={"description": "Their suggestion is in the text now."},
    )
    reopened = fields.List(
        fields.UUID(),
        required=True,
        metadata={"description": "A revision had fixed them; their words are back."},
    )


@blueprint.route("", methods=["PUT"])
@needs(Scope.PUBLISH)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(ArticleIn)
@blueprint.response(200, PushedOut)
def push_article(sent: dict[str, Any]) -> Response:
    """Keep a revision and find the article's open corrections in it; at most 2 MiB."""
    with current.database().read() as session:
        site = session.get_one(Site, principal().site_id)
    # Before the write: parsing and searching take long, and others wait for the lock.
    text = sent["text"] if sent["html"] is None else revisions.text_of(sent["html"], site)
    new = NewText(
        sent["url"],
        revisions.plain(text),
        sent["title"],
        sent["published_at"],
        section=(sent["section"] or "").strip() or None,
        tags=None if sent["tags"] is None else tuple(sent["tags"]),
    )
    with current.database().read() as session:
        searched = revisions.search(session, site, new)
    with current.database().write() as session:
        pushed = revisions.push(session, site, new, now=current.now(), searched=searched)
    current.parts().on_event()
    return jsonify(pushed)
