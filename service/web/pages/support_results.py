"""What came of a support campaign: variants compared, days plotted, all of it as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import marshmallow as ma
from flask import Response, render_template, request
from sqlalchemy.orm import Session

from service.accounts.principals import Principal, Scope
from service.desk.exports import tables
from service.desk.statistics.figures import Range
from service.errors import NotFound
from service.models import Campaign, CountKind
from service.support import campaigns, results
from service.support.results import Day
from service.web import current
from service.web.bodies import Parser
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint, frame
from service.web.schemas import Text
from service.web.statistics import DAYS, RangeIn

HOME = "/review/stats/support"
PLOTTED = (CountKind.VIEW, CountKind.CLICK, CountKind.DISMISS)
HEIGHT = 80
"""Of each plot, in its own units; a day is one unit wide."""


class ResultsIn(RangeIn):
    """Which campaign, where absent one that runs, else the newest; and which days (UTC)."""

    campaign = Text(40, load_default="")


@dataclass(frozen=True, slots=True)
class Plot:
    """The days of one kind as bars, each with its place, its height and its total."""

    kind: CountKind
    most: int
    bars: list[tuple[int, float, Day]]


@blueprint.get(HOME)
@signed_in(Scope.READ)
def support_results(who: Principal) -> Answer:
    """The variants side by side and the days, of one campaign."""
    query = _query()
    with current.database().read() as session:
        all_of_site = campaigns.of_site(session, who.site_id)
        chosen = _chosen(session, who, query["campaign"])
        days = _range(query)
        compared = results.compare(session, chosen, days.first, days.last) if chosen else []
        counted = results.by_day(session, chosen, days.first, days.last) if chosen else []
        return render_template(
            "support_results.html",
            **frame(session, who),
            campaigns=all_of_site,
            chosen=chosen,
            days=days,
            compared=compared,
            by_day=counted,
            plots=[_plot(kind, counted, days) for kind in PLOTTED],
            height=HEIGHT,
            width=(days.last - days.first).days + 1,
            enough=results.ENOUGH_CLICKS,
            kinds=CountKind,
        )


@blueprint.get(f"{HOME}.csv")
@signed_in(Scope.READ)
def support_results_csv(who: Principal) -> Answer:
    """Every count of the range: day, variant, place, kind, total (RFC 4180)."""
    query = _query()
    with current.database().read() as session:
        chosen = _chosen(session, who, query["campaign"])
        if chosen is None:
            raise NotFound("There is no such campaign.")
        days = _range(query)
        rows = results.rows(session, chosen, days.first, days.last)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("day", "variant", "place", "kind", "total"))
    table.writerows([tables.plain(str(cell)) for cell in row] for row in rows)
    made = Response(text.getvalue(), mimetype="text/csv")
    made.headers.set("Content-Disposition", "attachment", filename=f"{chosen.key}.csv")
    return made


def _query() -> dict[str, Any]:
    found: dict[str, Any] = Parser().parse(ResultsIn(unknown=ma.EXCLUDE), request, location="query")
    return found


def _chosen(session: Session, who: Principal, key: str) -> Campaign | None:
    if key:
        return campaigns.find(session, who.site_id, key)
    running = campaigns.running(session, who.site_id, now=current.now())
    return next(iter([*reversed(running), *campaigns.of_site(session, who.site_id)]), None)


def _range(query: dict[str, Any]) -> Range:
    last = query["last"] or current.now().date()
    chosen = Range(query["first"] or last - timedelta(days=DAYS - 1), last)
    chosen.check()
    return chosen


def _plot(kind: CountKind, counted: Sequence[Day], days: Range) -> Plot:
    most = max((day.totals[kind] for day in counted), default=0)
    return Plot(
        kind,
        most,
        [
            ((day.day - days.first).days, round(day.totals[kind] / most * HEIGHT, 2), day)
            for day in counted
            if day.totals[kind]
        ],
    )
