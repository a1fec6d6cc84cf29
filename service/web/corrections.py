"""Corrections as editors send and get them over HTTP, as marshmallow schemas."""

import re
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service import addresses
from service.desk.filters import Age, Filters, bounds
from service.desk.moves import Decision
from service.desk.queue import LIMIT, Sort
from service.dispatch.applying import Verdict
from service.models import AnchorState, Category, Kind, State
from service.web import current
from service.web.schemas import AnchorOut, ProblemOut, Text

MOST = 200
"""So many corrections at most in one list or one bulk move."""

_ENTITY_TAG = r'(?:W/)?"[!#-~\x80-\xff]*"'
_IF_MATCH = re.compile(rf"\s*(?:\*|{_ENTITY_TAG}(?:\s*,\s*{_ENTITY_TAG})*)\s*")
# A weak tag never matches here (RFC 9110, 13.1.1).
_VERSION = re.compile(r'(?<!W/)"([0-9]{1,9})"')


class NarrowedIn(ma.Schema):
    """Which corrections; every filter that is given narrows them."""

    state = fields.Enum(State, by_value=True, load_default=None)
    article = Text(addresses.URL_LIMIT, load_default=None)
    q = Text(200, load_default="")
    assignee = Text(
        254,
        load_default=None,
        metadata={"description": "An editor's e-mail address, or `nobody`."},
    )
    suspected = fields.Boolean(load_default=False)
    category = fields.Enum(Category, by_value=True, load_default=None)
    language = Text(35, load_default=None)
    reports = fields.Integer(
        load_default=None,
        validate=validate.Range(min=1, max=1_000_000),
        metadata={"description": "At least so many."},
    )
    anchor = fields.Enum(AnchorState, by_value=True, load_default=None)
    age = fields.Enum(Age, by_value=True, load_default=None)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return _filters(data)


class FiltersIn(NarrowedIn):
    """One page of them."""

    sort = fields.Enum(Sort, by_value=True, load_default=Sort.NEWEST)
    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(min=1, max=MOST))
    cursor = Text(200, load_default=None)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        paging = {name: data.pop(name) for name in ("sort", "limit", "cursor")}
        return {"filters": _filters(data), **paging}


def _filters(data: dict[str, Any]) -> Filters:
    if age := data.pop("age"):
        data["since"], data["until"] = bounds(age, current.now())
    return Filters(**data)


class MoveIn(ma.Schema):
    """A decision."""

    to = fields.Enum(State, by_value=True, required=True)
    reason = Text(2000, load_default=None, allow_none=True)
    suggestion = Text(
        1000,
        load_default=None,
        allow_none=True,
        metadata={"description": "The final wording; an empty text deletes the passage."},
    )
    public_note = Text(2000, load_default=None, allow_none=True)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Decision:
        return Decision(data["to"], data["reason"], data["suggestion"], data["public_note"])


class ApplyIn(ma.Schema):
    """With which words a correction is accepted and applied."""

    reason = Text(2000, load_default=None, allow_none=True)
    suggestion = Text(
        1000,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The final wording; absent: the one that is kept, else what most "
            "readers suggest. An empty text deletes the passage."
        },
    )
    public_note = Text(2000, load_default=None, allow_none=True)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Decision:
        return Decision(State.ACCEPTED, data["reason"], data["suggestion"], data["public_note"])


class MovesIn(ma.Schema):
    """One decision for many corrections."""

    ids = fields.List(
        Text(100),
        required=True,
        validate=validate.Length(min=1, max=MOST),
        metadata={"description": "Ids; `ID.3` is refused unless version 3 is the newest."},
    )
    to = fields.Enum(State, by_value=True, required=True)
    reason = Text(2000, load_default=None, allow_none=True)


class ChangesIn(ma.Schema):
    """What may be changed besides the state; what is absent stays."""

    assignee = Text(254, allow_none=True, metadata={"description": "An editor's e-mail address."})
    category = fields.Enum(Category, by_value=True, allow_none=True)
    wording = Text(1000, allow_none=True, metadata={"description": "What the editors settled on."})
    public_note = Text(2000, allow_none=True)
    duplicate_of = fields.UUID(allow_none=True)
    suspected = fields.Boolean()


class IfMatch(ma.Schema):
    """The versions that may be changed; without the header, any."""

    if_match = fields.String(
        load_default=None,
        allow_none=False,
        data_key="If-Match",
        validate=validate.Regexp(
            rf"{_IF_MATCH.pattern}\Z", error='Send the version in quotes, as in "3".'
        ),
        metadata={"description": 'The ETag that was seen, as in `"3"`; 412 when it is not newest.'},
    )

    class Meta:
        """Other headers are none of our business."""

        unknown = ma.EXCLUDE

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> frozenset[int] | None:
        given = data["if_match"]
        if given is None or given.strip() == "*":
            return None
        return frozenset(int(version) for version in _VERSION.findall(given))


class SuggestionOut(ma.Schema):
    """A distinct suggestion and how many reports make it."""

    text = fields.String(required=True)
    count = fields.Integer(required=True)


class ArticleOut(ma.Schema):
    """The page."""

    url = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    lang = fields.String(required=True, allow_none=True)


class ReasonOut(ma.Schema):
    """One thing that speaks for spam."""

    reason = fields.String(
        required=True,
        validate=validate.OneOf(["trapped", "quick", "links", "repeated", "burst", "blocked-word"]),
    )
    points = fields.Integer(required=True)
    count = fields.Integer(metadata={"description": "Of links, or of earlier reports."})


class SpamOut(ma.Schema):
    """How much a report looks like spam, 0 to 100, and what that is made of."""

    score = fields.Integer(required=True)
    reasons = fields.List(fields.Nested(ReasonOut), required=True)


class ReportSeen(ma.Schema):
    """One report, as an editor sees it."""

    id = fields.UUID(required=True)
    suggestion = fields.String(required=True, allow_none=True)
    comment = fields.String(required=True, allow_none=True)
    category = fields.Enum(Category, by_value=True, required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    selector = fields.List(fields.Dict(), required=True)
    created_at = fields.DateTime(required=True)


class PublicationOut(ma.Schema):
    """What the record says of a correction, from `published_at` on."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    said = fields.String(required=True, allow_none=True)
    says = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    thanks = fields.String(required=True, allow_none=True)
    published_at = fields.DateTime(required=True)
    changed_at = fields.DateTime(required=True, allow_none=True)
    withdrawn_at = fields.DateTime(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True, allow_none=True)


class CorrectionOut(ma.Schema):
    """One passage of one article and the reports about it."""

    id = fields.UUID(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    version = fields.Integer(required=True)
    suspected = fields.Boolean(required=True)
    article = fields.Nested(ArticleOut, required=True)
    selector = fields.List(fields.Dict(), required=True)
    anchor = fields.Nested(AnchorOut, required=True)
    suggestions = fields.List(fields.Nested(SuggestionOut), required=True)
    wording = fields.String(required=True, allow_none=True)
    report_count = fields.Integer(required=True)
    spam = fields.Nested(
        SpamOut,
        required=True,
        metadata={"description": "That of the report that looks most like it."},
    )
    reports = fields.List(
        fields.Nested(ReportSeen),
        required=True,
        metadata={"description": "The oldest hundred; `report_count` tells how many there are."},
    )
    category = fields.Enum(Category, by_value=True, required=True, allow_none=True)
    assignee = fields.String(required=True, allow_none=True)
    duplicate_of = fields.UUID(required=True, allow_none=True)
    public_note = fields.String(required=True, allow_none=True)
    publication = fields.Nested(PublicationOut, required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class AppliedOut(ma.Schema):
    """What the content system said, and the correction as it is since."""

    result = fields.Enum(Verdict, by_value=True, required=True)
    detail = fields.String(
        required=True, metadata={"description": "The content system's words; may be empty."}
    )
    correction = fields.Nested(CorrectionOut, required=True)


class CorrectionsOut(ma.Schema):
    """One page of the queue."""

    items = fields.List(fields.Nested(CorrectionOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The next page's cursor."}
    )


class OutcomeOut(ma.Schema):
    """What became of one correction in a bulk move."""

    id = fields.String(required=True)
    status = fields.Integer(
        required=True, metadata={"description": "As if it had been moved alone: 200, 404, 409."}
    )
    problem = fields.Nested(ProblemOut, required=True, allow_none=True)


class OutcomesOut(ma.Schema):
    """Outcomes in the order of the ids."""

    outcomes = fields.List(fields.Nested(OutcomeOut), required=True)
