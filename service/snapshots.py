"""A correction as the editors' API and the events show it: plain data, no HTTP, no schema."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select

from service.db import Asking, Prepared, among
from service.models import Article, Correction, Editor, Publication, Report

EVENT_REPORTS = 10
"""At most so many reports travel in an event; `report_count` tells how many there are."""


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as in `2026-01-02T03:04:05.678Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_corrections(
    session: Asking, ids: Sequence[UUID], *, reports: int = 100, with_email: bool = True
) -> list[dict[str, Any]]:
    """Snapshots in the order of `ids`; at most `reports` reports each, the oldest first."""
    asked = {"ids": ids}
    found = {row.id: row for row in _CORRECTIONS.all(session, asked)}
    suggestions, told = defaultdict(list), defaultdict(list)
    for row in _SUGGESTIONS.all(session, asked):
        suggestions[row.correction_id].append({"text": row.proposal, "count": row.count})
    for row in _REPORTS.all(session, {**asked, "most": reports}):
        told[row.correction_id].append(row)
    published = {row.correction_id: publication(row) for row in _PUBLICATIONS.all(session, asked)}
    return [
        {
            **_snapshot(found[key], suggestions[key], told[key], with_email=with_email),
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
    about = {"url": article.url, "title": article.title, "article_lang": article.lang}
    new = SimpleNamespace(**_AT_FIRST, **about, **correction)
    reports = [SimpleNamespace(**report)]
    return {**_snapshot(new, told, reports, with_email=False), "publication": None}


_AT_FIRST = dict.fromkeys(("wording", "assignee", "duplicate_of", "public_note"))
_CORRECTIONS = Prepared(
    lambda dialect: (
        select(
            Correction.id,
            Correction.state,
            Correction.version,
            Correction.suspected,
            Article.url,
            Article.title,
            Article.lang.label("article_lang"),
            Correction.exact,
            Correction.prefix,
            Correction.suffix,
            Correction.start,
            Correction.end,
            Correction.anchor_state,
            Correction.anchor_start,
            Correction.anchor_end,
            Correction.wording,
            Correction.report_count,
            Correction.category,
            Editor.email.label("assignee"),
            Correction.duplicate_of,
            Correction.public_note,
            Correction.created_at,
            Correction.updated_at,
        )
        .join(Article, Article.id == Correction.article_id)
        .join(Editor, Editor.id == Correction.assignee_id, isouter=True)
        .where(among(Correction.id, "ids", dialect))
    )
)
_SUGGESTIONS = Prepared(
    lambda dialect: (
        select(Report.correction_id, Report.proposal, func.count().label("count"))
        .where(among(Report.correction_id, "ids", dialect), Report.proposal.is_not(None))
        .group_by(Report.correction_id, Report.proposal)
        .order_by(func.count().desc(), func.min(Report.ordinal))
    )
)
_PUBLICATIONS = Prepared(
    lambda dialect: select(Publication).where(
        among(Publication.correction_id, "ids", dialect), Publication.published_at.is_not(None)
    )
)


def _first_reports(dialect: str) -> Select[*tuple[Any, ...]]:
    """The first reports of corrections: a page of those that are reported most tells of thousands.

    The rank is counted on ids alone.
    """
    rank = func.row_number().over(partition_by=Report.correction_id, order_by=Report.id)
    ranked = select(Report.id, rank.label("rank")).where(
        among(Report.correction_id, "ids", dialect)
    )
    wanted = ranked.subquery()
    return (
        select(
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
        .join(wanted, wanted.c.id == Report.id)
        .where(wanted.c.rank <= bindparam("most"))
        .order_by(Report.id)
    )


_REPORTS = Prepared(_first_reports)


def publication(row: Any) -> dict[str, Any]:
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
            "url": correction.url,
            "title": correction.title,
            "lang": correction.article_lang,
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
        "assignee": correction.assignee,
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
