"""The editors' API for support asks, and what readers' pages count of them."""

from typing import Any

import marshmallow as ma
from flask import Response, jsonify, request
from marshmallow import fields, validate

from service import addresses
from service.accounts.principals import Scope
from service.models import Campaign, CountKind, Place
from service.snapshots import instant
from service.support import campaigns, counts
from service.support.campaigns import Draft
from service.web import cors, current
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import Blueprint
from service.web.corrections import IfMatch
from service.web.limits import limiter
from service.web.schemas import TOO_MANY, Instant, Text

blueprint = Blueprint("campaigns", __name__, url_prefix="/api/v1", description="Support asks")

DAYS = validate.Range(1, 365)
MOST_VARIANTS = 10


class WayIn(ma.Schema):
    """A link in an ask: a way to support, or an amount."""

    label = Text(80, required=True)
    url = Text(addresses.URL_LIMIT, required=True)


class AskTextIn(ma.Schema):
    """What an ask says in one language."""

    title = Text(120, required=True)
    text = Text(1000, required=True)
    ways = fields.List(fields.Nested(WayIn), required=True, validate=validate.Length(max=8))
    amounts = fields.List(fields.Nested(WayIn), load_default=list, validate=validate.Length(max=8))
    image_alt = Text(250, load_default="")


class ByLocale(fields.Dict):
    """Texts by locale; what is wrong is told without marshmallow's `key` and `value` between."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]  # marshmallow
        except ma.ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            told = error.messages.items()
            raise ma.ValidationError(
                {name: inner.get("value", inner.get("key")) for name, inner in told}
            ) from None


class VariantIn(ma.Schema):
    """One wording of a campaign, chosen by weight and kept by the reader's browser."""

    key = Text(20, required=True)
    weight = fields.Integer(load_default=1, strict=True, validate=validate.Range(0, 1000))
    texts = ByLocale(
        keys=Text(35),
        values=fields.Nested(AskTextIn),
        required=True,
        validate=validate.Length(max=40),
    )


def _names(cap: int) -> Any:
    return fields.List(Text(cap, minimum=1), load_default=list, validate=validate.Length(max=50))


class CampaignIn(ma.Schema):
    """A campaign, whole."""

    name = Text(200, minimum=1, required=True)
    enabled = fields.Boolean(load_default=True)
    starts_at = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)
    places = fields.List(
        fields.Enum(Place, by_value=True),
        load_default=lambda: [Place.BLOCK, Place.THANKS],
        validate=validate.Length(1, 3),
    )
    sections = _names(100)
    tags = _names(100)
    languages = _names(35)
    after_articles = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 1000))
    max_views = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 1000))
    period_days = fields.Integer(load_default=30, strict=True, validate=DAYS)
    quiet_days = fields.Integer(load_default=30, strict=True, validate=DAYS)
    image_url = Text(addresses.URL_LIMIT, load_default=None, allow_none=True)
    link_parameters = Text(500, load_default="")
    variants = fields.List(
        fields.Nested(VariantIn), required=True, validate=validate.Length(max=MOST_VARIANTS)
    )

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Draft:
        folded = {name: [each.casefold() for each in data[name]] for name in ("sections", "tags")}
        return Draft(**{**data, **folded})


class CampaignOut(CampaignIn):
    """A campaign as it is kept; its ETag is its version."""

    key = fields.String(required=True)
    version = fields.Integer(required=True)
    created_at = fields.String(required=True)
    updated_at = fields.String(required=True)


class CampaignsOut(ma.Schema):
    """The site's campaigns."""

    items = fields.List(fields.Nested(CampaignOut), required=True)


class SupportEventIn(ma.Schema):
    """What happened to an ask on a reader's page."""

    campaign = Text(40, minimum=1, required=True)
    variant = Text(20, minimum=1, required=True)
    place = fields.Enum(Place, by_value=True, load_default=Place.BLOCK)
    kind = fields.Enum(CountKind, by_value=True, required=True)


@blueprint.route("/campaigns", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.response(200, CampaignsOut)
def list_campaigns() -> Response:
    """The site's campaigns, the newest first."""
    with current.database().read() as session:
        found = campaigns.of_site(session, principal().site_id)
    return jsonify(items=[shown(campaign) for campaign in found])


@blueprint.route("/campaigns/<campaign_key>", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.response(200, CampaignOut)
def get_campaign(campaign_key: str) -> Response:
    """One campaign."""
    with current.database().read() as session:
        found = campaigns.find(session, principal().site_id, campaign_key)
    made = _tagged(found)
    made.make_conditional(request)
    return made


@blueprint.route("/campaigns/<campaign_key>", methods=["PUT"])
@needs(Scope.PUBLISH)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(CampaignIn)
@blueprint.arguments(IfMatch, location="headers")
@blueprint.response(200, CampaignOut)
def put_campaign(draft: Draft, versions: frozenset[int] | None, campaign_key: str) -> Response:
    """Make a campaign under this key, or put another in its place."""
    with current.database().write() as session:
        kept = campaigns.put(
            session,
            principal().site_id,
            campaign_key,
            draft,
            by=principal().label,
            now=current.now(),
            versions=versions,
        )
        return _tagged(kept)


@blueprint.route("/campaigns/<campaign_key>", methods=["DELETE"])
@needs(Scope.PUBLISH)
@blueprint.doc(security=SECURITY)
@blueprint.response(204)
def delete_campaign(campaign_key: str) -> None:
    """Remove a campaign and its counts."""
    with current.database().write() as session:
        campaigns.remove(
            session, principal().site_id, campaign_key, by=principal().label, now=current.now()
        )


@blueprint.route("/sites/<key>/support-events", methods=["POST"])
@blueprint.alt_response(429, **TOO_MANY)
@limiter.limit("60/minute;600/day")
@blueprint.arguments(SupportEventIn)
@blueprint.response(204)
def note_support_event(event: dict[str, Any], key: str) -> None:
    """Count one view, click, closing or copy; nothing about the reader is kept."""
    with current.database().write() as session:
        campaign = campaigns.find(session, cors.site().id, event["campaign"])
        counts.note(
            session, campaign, event["variant"], event["place"], event["kind"], now=current.now()
        )


def shown(campaign: Campaign) -> dict[str, Any]:
    """A campaign as JSON."""
    fields_of = {name: getattr(campaign, name) for name in CampaignOut().fields}
    return {
        **fields_of,
        **{name: instant(fields_of[name]) for name in fields_of if name.endswith("_at")},
    }


def _tagged(campaign: Campaign) -> Response:
    made = jsonify(shown(campaign))
    made.set_etag(str(campaign.version))
    return made
