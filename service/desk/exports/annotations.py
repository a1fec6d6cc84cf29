"""Corrections as W3C Web Annotations (https://www.w3.org/TR/annotation-model/), one a line.

Body and target are for every program that knows annotations; the member `corrigenda` says the
rest, so that an import gives the same corrections again. Addresses of readers stay here.
"""

import json
from collections.abc import Iterable
from typing import Any

from service import snapshots
from service.desk.exports.reading import Whole
from service.snapshots import instant

CONTEXT = [
    "http://www.w3.org/ns/anno.jsonld",
    # JSON-LD 1.1 lets a term hold JSON that is none of its business.
    {"corrigenda": {"@id": "urn:corrigenda:correction", "@type": "@json"}},
]

# JSON allows them within a line, many readers of lines do not.
_LINE_ENDS = {sign: f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"}


def text(batch: Iterable[Whole]) -> str:
    """The lines of a batch."""
    return "".join(map(_line, batch))


def _line(whole: Whole) -> str:
    said = json.dumps(annotation(whole), ensure_ascii=False, separators=(",", ":"))
    # `str.translate` looks up each letter: it took a fifth of an export.
    for sign, spelled in _LINE_ENDS.items():
        said = said.replace(sign, spelled)
    return said + "\n"


def annotation(whole: Whole) -> dict[str, Any]:
    """One correction as an annotation that edits its passage."""
    row = whole.correction
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "id": f"urn:uuid:{row.id}",
        "type": "Annotation",
        "motivation": "editing",
        "created": instant(row.created_at),
        "modified": instant(row.updated_at),
        "target": {"source": row.url},
        "body": [
            *(_body("editing", suggestion, row.lang) for suggestion in whole.suggestions()),
            *(_body("commenting", comment, None) for comment in whole.comments()),
            *([_body("tagging", row.category.value, None)] if row.category else []),
        ],
        "corrigenda": _rest(whole),
    }
    if selector := snapshots.selector(row):
        found["target"]["selector"] = selector
    return found


def _body(purpose: str, value: str, language: str | None) -> dict[str, str]:
    said = {"type": "TextualBody", "purpose": purpose, "format": "text/plain", "value": value}
    return {**said, "language": language} if language else said


def _rest(whole: Whole) -> dict[str, Any]:
    row = whole.correction
    return {
        "state": row.state.value,
        "suspected": row.suspected,
        "version": row.version,
        "article": {"title": row.title, "lang": row.lang},
        "category": row.category and row.category.value,
        "wording": row.wording,
        "public_note": row.public_note,
        "assignee": row.assignee,
        "duplicate_of": row.duplicate_of and str(row.duplicate_of),
        "anchor": {
            "state": row.anchor_state.value,
            "start": row.anchor_start,
            "end": row.anchor_end,
        },
        **{
            name: instant(getattr(row, name))
            for name in ("first_decided_at", "decided_at", "fixed_at", "closed_at")
        },
        "reports": list(map(_report, whole.reports)),
        "moves": list(map(_move, whole.moves)),
        "publication": whole.publication and snapshots.publication(whole.publication),
    }


def _report(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "source": row.source,
        "title": row.title,
        "lang": row.lang,
        "selector": snapshots.selector(row),
        "revision": row.revision,
        "suggestion": row.suggestion,
        "proposal": row.proposal,
        "comment": row.comment,
        "category": row.category and row.category.value,
        "suspected": row.suspected,
        "spam": {"score": row.spam_score, "reasons": row.spam_reasons},
        "created_at": instant(row.created_at),
    }


def _move(row: Any) -> dict[str, Any]:
    # What older releases kept does not tell what the move made of it.
    is_told = all(isinstance(each, dict) for each in (row.before or {}).values())
    return {
        "id": str(row.id),
        "from": row.from_state.value,
        "to": row.to_state.value,
        "by": row.by,
        "reason": row.reason,
        "before": row.before if is_told else None,
        "undoes": row.undoes and str(row.undoes),
        "at": instant(row.created_at),
    }
