"""The readers' API: the widget's needs, reports, receipts."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Response, current_app, g, request

from service.intake import NewReport
from service.web import cors, current, places, receipts, reports, strings
from service.web.bodies import Blueprint
from service.web.limits import REPORTS, limiter, report_limits
from service.web.schemas import (
    TOO_MANY,
    ReceiptOut,
    ReceiptQuery,
    ReportIn,
    ReportKey,
    ReportOut,
    WidgetOut,
    WidgetQuery,
)

blueprint = Blueprint("public", __name__, url_prefix="/api/v1", description="For readers' pages")

WIDGET_AGE = timedelta(minutes=5)

REPLAYED = {
    reports.REPLAYED: {
        "description": "`true` where the same report was kept before, under the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


@blueprint.route("/sites/<key>/widget")
@blueprint.arguments(WidgetQuery, location="query")
@blueprint.response(200, WidgetOut)
def widget(query: dict[str, Any], key: str) -> Response:
    """Strings, limits and links for the widget; what a page's places show where `url` has some."""
    site, locale, now = cors.site(), query["locale"], current.now()

    def read() -> str:
        with current.database().read() as session:
            answer = strings.widget(site, locale)
            answer |= places.support(
                session, site, locale, now=now, ahead=WIDGET_AGE, has_place=query["support"]
            )
            if query["url"]:
                answer |= places.about(session, site, query["url"], locale, now=now)
        # Letters as they are: escaped ones weigh twice as much, and readers wait for them.
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))

    return _kept(_lately(query, read))


@blueprint.route("/sites/<key>/places.js")
@blueprint.arguments(WidgetQuery, location="query")
@blueprint.response(200, {"type": "string"}, content_type="text/javascript")
def places_script(query: dict[str, Any], key: str) -> Response:
    """What a page's places show, with the code that shows it: all they need in one script."""
    site, locale, now = cors.site(), query["locale"], current.now()

    def read() -> str:
        told = strings.beside(site, locale)
        with current.database().read() as session:
            if query["support"]:
                told |= places.support(
                    session, site, locale, now=now, ahead=WIDGET_AGE, has_place=True
                )
                # The ask of this moment alone: the script decides by the clock itself.
                del told["campaign"]
            if query["url"]:
                told |= places.about(session, site, query["url"], locale, now=now)
        return places.script(told, Path(str(current_app.static_folder)))

    return _kept(_lately(query, read), "text/javascript")


def _lately(query: dict[str, Any], read: Callable[[], str]) -> str:
    """The answer to a question that many readers ask; one of a moment ago is as good."""
    asked = request.endpoint, cors.site().id, *query.values()
    return current.parts().answers.of(current.parts(), asked, read)


def _kept(text: str, mimetype: str = "application/json") -> Response:
    """An answer that browsers and caches may keep for a while."""
    made = Response(text, mimetype=mimetype)
    made.cache_control.public = True
    made.cache_control.max_age = int(WIDGET_AGE.total_seconds())
    made.add_etag()
    made.make_conditional(request)
    return made


@blueprint.route("/sites/<key>/reports", methods=["POST"])
@blueprint.alt_response(429, **TOO_MANY)
@limiter.shared_limit(report_limits, scope=REPORTS)
@blueprint.arguments(ReportIn)
@blueprint.arguments(ReportKey, location="headers")
@blueprint.response(201, ReportOut, headers=REPLAYED)
def create_report(new: NewReport, headers: dict[str, str], key: str) -> Response:
    """Keep a report; answered only once it is durable."""
    receipt = reports.keep_sent(new, headers["idempotency_key"])
    text = reports.answer(current.parts(), receipt)
    return Response(text, 201, reports.marks(receipt), mimetype="application/json")


@blueprint.route("/receipts/<token>")
@blueprint.alt_response(429, **TOO_MANY)
@blueprint.arguments(ReceiptQuery, location="query")
@blueprint.response(200, ReceiptOut)
@limiter.limit("120/minute")
def receipt(query: dict[str, Any], token: str) -> dict[str, Any]:
    """What became of a report: the reader's own words and what the editors say to everybody."""
    found, _ = receipts.find(token)
    g.site = found["site"]
    return found
