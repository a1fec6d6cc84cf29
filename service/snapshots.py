"""A correction as the editors' API and the events show it: plain data, no HTTP, no schema."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from service.models import Correction, Publication, Report

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
    published = _publications(session, ids)
    return [
        {
            **_snapshot(
                found[key], found[key].article, suggestions[key], told[key], with_email=with_email
            ),
            "publication": published.get(key),
        }
        for key in ids
        if key in found
    ]


def of_first(
    correction: Mapping[str, Any], article: Any, report: Mapping[str, Any]
) -> dict[str, Any]:
    """The snapshot of a new correction for its events, told without asking the database."""
    told = [] if report["proposal"] is None else [{"text": report["proposal"], "count": 1}]
    new = SimpleNamespace(**_AT_FIRST, **correction)
    reports = [SimpleNamespace(**report)]
    return {**_snapshot(new, article, told, reports, with_email=False), "publication": None}


_AT_FIRST = dict.fromkeys(("wording", "assignee", "duplicate_of", "public_note"))


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


_OF_REPORTS = (
    Report.id,
    Report.correction_id,
    Report.suggestion,
    Report.comment,
    Report.category,
    Report.exact,
    Report.prefix,
    Report.suffix,
    Report.start,
    Report.end,
    Report.spam_score,
    Report.spam_reasons,
    Report.email,
    Report.created_at,
)


def _reports(session: Session, ids: Sequence[UUID], limit: int) -> dict[UUID, list[Any]]:
    """Rows, not objects: a page of those that are reported most tells of thousands."""
    found = defaultdict(list)
    ranked = select(
        Report.id,
        func.row_number().over(partition_by=Report.correction_id, order_by=Report.id).label("rank"),
    ).where(Report.correction_id.in_(ids))
    wanted = ranked.subquery()
    for report in session.execute(
        select(*_OF_REPORTS)
        .join(wanted, wanted.c.id == Report.id)
        .where(wanted.c.rank <= limit)
        .order_by(Report.id)
    ):
        found[report.correction_id].append(report)
    return found


def _publications(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = session.scalars(
        select(Publication)
        .where(Publication.correction_id.in_(ids), Publication.published_at.is_not(None))
        .execution_options(populate_existing=True)
    )
    return {row.correction_id: publication(row) for row in rows}


def publication(row: Publication) -> dict[str, Any]:
    """What the record says, or will say from `published_at` on, of one correction."""
    return {
        "id": str(row.id),
        "version": row.version,
        "kind": row.kind.value,
        "said": row.said,
        "says": row.says,
        "note": row.note,
        "thanks": row.thanks,
        "published_at": instant(row.published_at),
        "changed_at": instant(row.changed_at),
        "withdrawn_at": instant(row.withdrawn_at),
        "withdrawn_reason": row.withdrawn_reason,
    }


def _snapshot(
    correction: Any,
    article: Any,
    suggestions: list[dict[str, Any]],
    reports: Sequence[Any],
    *,
    with_email: bool,
) -> dict[str, Any]:
    return {
        "id": str(correction.id),
        "state": correction.state.value,
        "version": correction.version,
        "suspected": correction.suspected,
        "article": {
            "url": article.url,
            "title": article.title,
            "lang": article.lang,
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
        "spam": _spam(max(reports, key=lambda report: report.spam_score, default=None)),
        "reports": [_report(report, with_email=with_email) for report in reports],
        "category": correction.category.value if correction.category else None,
        "assignee": correction.assignee.email if correction.assignee else None,
        "duplicate_of": str(correction.duplicate_of) if correction.duplicate_of else None,
        "public_note": correction.public_note,
        "created_at": instant(correction.created_at),
        "updated_at": instant(correction.updated_at),
    }


def selector(passage: Any) -> list[dict[str, Any]]:
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


def _report(report: Any, *, with_email: bool) -> dict[str, Any]:
    shown = {
        "id": str(report.id),
        "suggestion": report.suggestion,
        "comment": report.comment,
        "category": report.category.value if report.category else None,
        "selector": selector(report),
        "spam": _spam(report),
        "created_at": instant(report.created_at),
    }
    return {**shown, "email": report.email} if with_email else shown


def _spam(report: Any) -> dict[str, Any]:
    """How much a report looks like spam, and why."""
    if report is None:
        return {"score": 0, "reasons": []}
    return {"score": report.spam_score, "reasons": report.spam_reasons}
