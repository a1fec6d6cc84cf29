"""A correction as the editors' API and the events show it: plain data, no HTTP, no schema."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from service.models import Correction, Report

EVENT_REPORTS = 10
"""At most so many reports travel in an event; `report_count` tells how many there are."""


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as in `2026-01-02T03:04:05.678Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_corrections(
    session: Session, ids: Sequence[UUID], *, reports: int = 100, with_email: bool = True
) -> list[dict[str, Any]]:
    """Snapshots in the order of `ids`; at most `reports` reports each, the oldest first."""
    rows = session.scalars(
        select(Correction)
        .where(Correction.id.in_(ids))
        .options(joinedload(Correction.article), joinedload(Correction.assignee))
        .execution_options(populate_existing=True)
    )
    found = {row.id: row for row in rows}
    suggestions = _suggestions(session, ids)
    told = _reports(session, ids, reports)
    return [
        _snapshot(found[key], suggestions[key], told[key], with_email=with_email)
        for key in ids
        if key in found
    ]


def _suggestions(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    rows = session.execute(
        select(Report.correction_id, Report.proposal, func.count())
        .where(Report.correction_id.in_(ids), Report.proposal.is_not(None))
        .group_by(Report.correction_id, Report.proposal)
        .order_by(func.count().desc(), func.min(Report.ordinal))
    )
    found = defaultdict(list)
    for correction_id, text, count in rows:
        found[correction_id].append({"text": text, "count": count})
    return found


def _reports(session: Session, ids: Sequence[UUID], limit: int) -> dict[UUID, list[Report]]:
    found = defaultdict(list)
    ranked = select(
        Report.id,
        func.row_number().over(partition_by=Report.correction_id, order_by=Report.id).label("rank"),
    ).where(Report.correction_id.in_(ids))
    wanted = ranked.subquery()
    for report in session.scalars(
        select(Report)
        .join(wanted, wanted.c.id == Report.id)
        .where(wanted.c.rank <= limit)
        .order_by(Report.id)
    ):
        found[report.correction_id].append(report)
    return found


def _snapshot(
    correction: Correction,
    suggestions: list[dict[str, Any]],
    reports: Iterable[Report],
    *,
    with_email: bool,
) -> dict[str, Any]:
    return {
        "id": str(correction.id),
        "state": correction.state.value,
        "version": correction.version,
        "suspected": correction.suspected,
        "article": {
            "url": correction.article.url,
            "title": correction.article.title,
            "lang": correction.article.lang,
        },
        "selector": selector(correction),
        "anchor": {
            "state": correction.anchor_state.value,
            "start": correction.anchor_start,
            "end": correction.anchor_end,
        },
        "suggestions": suggestions,
        "wording": correction.wording,
        "report_count": correction.report_count,
        "reports": [_report(report, with_email=with_email) for report in reports],
        "category": correction.category.value if correction.category else None,
        "assignee": correction.assignee.email if correction.assignee else None,
        "duplicate_of": str(correction.duplicate_of) if correction.duplicate_of else None,
        "public_note": correction.public_note,
        "created_at": instant(correction.created_at),
        "updated_at": instant(correction.updated_at),
    }


def selector(passage: Correction | Report) -> list[dict[str, Any]]:
    """The W3C selectors of a passage; empty for a page-level report."""
    if passage.exact is None:
        return []
    found: list[dict[str, Any]] = [
        {
            "type": "TextQuoteSelector",
            "exact": passage.exact,
            "prefix": passage.prefix,
            "suffix": passage.suffix,
        }
    ]
    if passage.start is not None:
        found.append({"type": "TextPositionSelector", "start": passage.start, "end": passage.end})
    return found


def _report(report: Report, *, with_email: bool) -> dict[str, Any]:
    shown = {
        "id": str(report.id),
        "suggestion": report.suggestion,
        "comment": report.comment,
        "category": report.category.value if report.category else None,
        "selector": selector(report),
        "created_at": instant(report.created_at),
    }
    return {**shown, "email": report.email} if with_email else shown
