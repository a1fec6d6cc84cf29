"""What came of the reports: figures of a range of days, as plots, tables and CSV."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import marshmallow as ma
from flask import Response, render_template, request
from marshmallow import fields, validate

from service.accounts.principals import Principal, Scope
from service.desk.exports import tables
from service.desk.statistics import figures
from service.desk.statistics.figures import Daily
from service.errors import InvalidFields
from service.models import Site
from service.web import current, forms, plots, statistics, words
from service.web.bodies import Parser
from service.web.cookies import Answer, signed_in
from service.web.exports import MARK
from service.web.pages.frame import blueprint, frame

TABLES = ("days", "sections", "categories", "languages", "articles")
PERIODS = (7, 30, 90, 365)
MOST_MARKS = 120
"""More days than this are drawn several in one mark."""


class TableIn(statistics.RangeIn):
    """One table of a range."""

    table = fields.String(required=True, validate=validate.OneOf(TABLES))


@blueprint.get("/review/stats")
@signed_in(Scope.READ)
def stats(who: Principal) -> Answer:
    """The figures of a range; where it is none, of the newest days, and what is wrong with it."""
    with current.database().read_one_moment() as session:
        site = session.get_one(Site, who.site_id)
        try:
            asked, errors = _asked(site), {}
        except InvalidFields as refusal:
            asked, errors = statistics.asked(site, None, None), forms.told(refusal)
        found = figures.read(session, site, asked)
        page = render_template(
            "stats.html",
            **frame(session, who),
            found=found,
            typed=request.args if errors else {"from": asked.first, "to": asked.last},
            errors=errors,
            arrivals=plots.plot(_drawn(found.days, "reports")),
            open=plots.plot(_drawn(found.days, "open")),
            periods=[(days, asked.last - timedelta(days=days - 1)) for days in PERIODS],
            chosen=(asked.last - asked.first).days + 1,
        )
    return page, 422 if errors else 200


@blueprint.get("/review/stats.csv")
@signed_in(Scope.READ)
def table_of_stats(who: Principal) -> Answer:
    """One table of the page, with every figure; minutes, and shares from 0 to 1."""
    with current.database().read_one_moment() as session:
        site = session.get_one(Site, who.site_id)
        query = Parser().parse(TableIn(), request, location="query", unknown=ma.EXCLUDE)
        asked = statistics.asked(site, query["first"], query["last"])
        rows = [asdict(row) for row in getattr(figures.read(session, site, asked), query["table"])]
    name = f"{query['table']}-{asked.first}-{asked.last}.csv"
    made = Response(MARK + _csv(rows), content_type="text/csv; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made


def _asked(site: Site) -> figures.Range:
    query = Parser().parse(statistics.RangeIn(), request, location="query", unknown=ma.EXCLUDE)
    asked = statistics.asked(site, query["first"], query["last"])
    asked.check()
    return asked


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    return tables.rows([list(rows[0]), *(row.values() for row in rows)] if rows else [])


def _drawn(days: Sequence[Daily], name: str) -> list[tuple[str, int]]:
    """What a plot shows: of several days in one mark the sum, of what is open the last day's."""
    step = -(-len(days) // MOST_MARKS)
    found = []
    for first in range(0, len(days), step):
        part = days[first : first + step]
        values = [getattr(each, name) for each in part]
        value = values[-1] if name == "open" else sum(values)
        found.append((words.span(part[0].day, part[-1].day), value))
    return found
