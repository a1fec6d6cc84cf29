"""A report arrives: it is kept for good, and joins the correction of its passage."""

from service.intake.reports import NewReport, Receipt, Submission
from service.intake.submit import submit, submit_all

__all__ = ["NewReport", "Receipt", "Submission", "submit", "submit_all"]
