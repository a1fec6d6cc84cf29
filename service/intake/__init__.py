"""A report arrives: it is kept for good, and joins the correction of its passage."""

from service.intake.reports import NewReport, Receipt
from service.intake.submit import submit

__all__ = ["NewReport", "Receipt", "submit"]
