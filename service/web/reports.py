"""A report kept in one transaction, however it arrived: from the widget or from our own page."""

import orjson
from flask import request
from sqlalchemy.exc import IntegrityError

from service import intake
from service.intake import NewReport, Submission
from service.web import cors, current
from service.web.current import Parts

REPLAYED = "Idempotent-Replayed"

REFUSED = "corrigenda.refused"
"""Where a request's environment says why its report was not kept, if that was tried before."""


def keep_sent(new: NewReport, key: str) -> intake.Receipt:
    """Keep a report of the request's site durably and wake the worker.

    Raises what `intake.submit` raises.
    """
    if refused := request.environ.get(REFUSED):
        raise refused
    parts = current.parts()
    address = request.remote_addr or ""
    given = Submission(cors.site(), new, key, parts.settings.secret_key, parts.clock(), address)
    given.check()
    return keep(parts, given)


def keep(parts: Parts, given: Submission) -> intake.Receipt:
    """Keep a checked report durably and wake the worker; raises what `intake.submit` raises."""
    try:
        receipt = parts.database.write_together(intake.submit_all, given)
    except IntegrityError:
        # Two requests with one key met; the second try finds the first one's report.
        receipt = parts.database.write_together(intake.submit_all, given)
    parts.on_event()
    return receipt


def answer(parts: Parts, receipt: intake.Receipt) -> bytes:
    """What is answered to whoever sent it, as JSON."""
    told = {
        "id": str(receipt.report_id),
        "correction_id": str(receipt.correction_id),
        "receipt_url": f"{parts.settings.public_url}/r/{receipt.token}",
        "already_reported": receipt.already_reported,
        **({"already_fixed": True} if receipt.already_fixed else {}),
    }
    return orjson.dumps(told)


def marks(receipt: intake.Receipt) -> list[tuple[str, str]]:
    """The headers that say what kind of answer it is."""
    return [(REPLAYED, "true")] if receipt.is_replay else []
