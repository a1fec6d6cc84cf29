"""The readers' API: the widget's needs, reports, receipts."""

from typing import Any

from flask import Response, jsonify, make_response, request
from sqlalchemy.exc import IntegrityError

from service import intake
from service.intake import NewReport
from service.record import receipts
from service.web import cors, current, strings
from service.web.bodies import Blueprint
from service.web.limits import limiter, report_limits
from service.web.schemas import (
    ReceiptOut,
    ReportIn,
    ReportKey,
    ReportOut,
    WidgetOut,
    WidgetQuery,
)

blueprint = Blueprint("public", __name__, url_prefix="/api/v1", description="For readers' pages")

WIDGET_SECONDS = 300


@blueprint.route("/sites/<key>/widget")
@blueprint.arguments(WidgetQuery, location="query")
@blueprint.response(200, WidgetOut)
def widget(query: dict[str, Any], key: str) -> Response:
    """Strings, limits and links for the widget."""
    made = jsonify(strings.widget(cors.site(), query["locale"]))
    made.cache_control.public = True
    made.cache_control.max_age = WIDGET_SECONDS
    made.add_etag()
    made.make_conditional(request)
    return made


@blueprint.route("/sites/<key>/reports", methods=["POST"])
@limiter.limit(report_limits)
@blueprint.arguments(ReportIn)
@blueprint.arguments(ReportKey, location="headers")
@blueprint.response(201, ReportOut)
def create_report(new: NewReport, headers: dict[str, str], key: str) -> Response:
    """Keep a report; answered only once it is durable."""
    try:
        receipt = _submit(new, headers["idempotency_key"])
    except IntegrityError:
        # Two requests with one key met; the second try finds the first one's report.
        receipt = _submit(new, headers["idempotency_key"])
    current.parts().on_event()
    made = make_response(
        {
            "id": str(receipt.report_id),
            "correction_id": str(receipt.correction_id),
            "receipt_url": f"{current.settings().public_url}/r/{receipt.token}",
            "already_reported": receipt.already_reported,
            **({"already_fixed": True} if receipt.already_fixed else {}),
        },
        201,
    )
    if receipt.is_replay:
        made.headers["Idempotent-Replayed"] = "true"
    return made


def _submit(new: NewReport, idempotency_key: str) -> intake.Receipt:
    with current.database().write() as session:
        return intake.submit(
            session,
            cors.site(),
            new,
            key=idempotency_key,
            secret=current.settings().secret_key,
            now=current.now(),
        )


@blueprint.route("/receipts/<token>")
@blueprint.response(200, ReceiptOut)
@limiter.limit("120/minute")
def receipt(token: str) -> dict[str, Any]:
    """What became of a report."""
    with current.database().read() as session:
        return receipts.find(session, token)
