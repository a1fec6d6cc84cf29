"""A report kept in one transaction, however it arrived: from the widget or from our own page."""

from flask import request
from sqlalchemy.exc import IntegrityError

from service import intake
from service.intake import NewReport
from service.web import cors, current


def keep(new: NewReport, key: str) -> intake.Receipt:
    """Keep a report of the request's site durably and wake the worker.

    Raises what `intake.submit` raises.
    """
    try:
        receipt = _submit(new, key)
    except IntegrityError:
        # Two requests with one key met; the second try finds the first one's report.
        receipt = _submit(new, key)
    current.parts().on_event()
    return receipt


def _submit(new: NewReport, key: str) -> intake.Receipt:
    settings = current.settings()
    given = intake.Submission(
        cors.site(), new, key, settings.secret_key, current.now(), request.remote_addr or ""
    )
    given.check()
    return current.database().write_together(intake.submit_all, given)


def receipt_url(receipt: intake.Receipt) -> str:
    """The secret address of a report's receipt."""
    return f"{current.settings().public_url}/r/{receipt.token}"
