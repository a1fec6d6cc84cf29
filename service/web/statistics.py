"""The statistics as the API tells them."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate

from service.accounts.principals import Scope
from service.desk.statistics import figures
from service.desk.statistics.figures import Figures, Range
from service.models import Site
from service.web import current
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import Blueprint

DAYS = 30
"""The newest so many days, where no range is asked for."""

CALENDAR = validate.Range(
    date(1970, 1, 1), date(2999, 12, 31), error="Days are from 1970-01-01 to 2999-12-31."
)
"""Far from the ends of the calendar, so that a month before or after is a date too."""

blueprint = Blueprint(
    "statistics", __name__, url_prefix="/api/v1/stats", description="What came of the reports"
)


class RangeIn(ma.Schema):
    """Days of the site's time zone, both counted; thirty days until today where absent."""

    first = fields.Date(load_default=None, data_key="from", validate=CALENDAR)
    last = fields.Date(load_default=None, data_key="to", validate=CALENDAR)


class LineOut(ma.Schema):
    """The figures of the range: of all, or of one section, category, language or article."""

    value = fields.String(required=True, metadata={"description": "Empty where there is none."})
    reports = fields.Integer(required=True)
    corrections = fields.Integer(required=True)
    decided = fields.Integer(required=True, metadata={"description": "For the first time."})
    accepted = fields.Integer(
        required=True, metadata={"description": "Of those decided: accepted or fixed by now."}
    )
    rejected = fields.Integer(required=True, metadata={"description": "Of those decided."})
    fixed = fields.Integer(required=True)
    accepted_share = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Accepted of accepted and rejected, 0 to 1."},
    )
    decision_median = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Minutes, nearest rank."}
    )
    decision_p90 = fields.Integer(required=True, allow_none=True)
    fix_median = fields.Integer(required=True, allow_none=True)
    fix_p90 = fields.Integer(required=True, allow_none=True)
    title = fields.String(allow_none=True, metadata={"description": "Of an article."})
    url = fields.String(allow_none=True, metadata={"description": "Of an article."})


class DayOut(ma.Schema):
    """One day."""

    day = fields.Date(required=True)
    reports = fields.Integer(required=True)
    corrections = fields.Integer(required=True)
    decided = fields.Integer(required=True)
    fixed = fields.Integer(required=True)
    open = fields.Integer(required=True, metadata={"description": "At the day's end."})


class FiguresOut(ma.Schema):
    """All figures of a range; what is suspected to be spam does not count."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    total = fields.Nested(LineOut, required=True)
    open = fields.Integer(required=True, metadata={"description": "At the range's end."})
    thanked = fields.Integer(
        required=True, metadata={"description": "Entries of the record that thank a reader."}
    )
    thanked_share = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of those fixed, 0 to 1."}
    )
    days = fields.List(fields.Nested(DayOut), required=True)
    sections = fields.List(fields.Nested(LineOut), required=True)
    categories = fields.List(fields.Nested(LineOut), required=True)
    languages = fields.List(fields.Nested(LineOut), required=True)
    articles = fields.List(
        fields.Nested(LineOut),
        required=True,
        metadata={"description": "The twenty with the most reports."},
    )


def asked(site: Site, first: date | None, last: date | None) -> Range:
    """The range asked for, its missing end today, its missing beginning DAYS before."""
    today = current.now().astimezone(ZoneInfo(site.time_zone)).date()
    end = last or today
    return Range(first or end - timedelta(days=DAYS - 1), end)


def as_json(found: Figures) -> dict[str, Any]:
    """The figures as plain data."""
    told = asdict(found)
    told["first"], told["last"] = found.range.first, found.range.last
    data: dict[str, Any] = FiguresOut().dump(told)
    return data


@blueprint.route("", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(RangeIn, location="query")
@blueprint.response(200, FiguresOut)
def get_statistics(query: dict[str, Any]) -> Response:
    """Arrivals, decisions and waits of a range of days."""
    with current.database().read_one_moment() as session:
        site = session.get_one(Site, principal().site_id)
        found = figures.read(session, site, asked(site, query["first"], query["last"]))
    return jsonify(as_json(found))
