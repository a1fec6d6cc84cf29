"""Corrections as CSV (RFC 4180), one a row, that no spreadsheet takes for formulas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from service.desk.exports.reading import Whole
from service.snapshots import instant

COLUMNS = (
    "id", "state", "suspected", "url", "title", "language", "category", "prefix", "exact",
    "suffix", "suggestion", "other_suggestions", "wording", "comments", "report_count",
    "assignee", "anchor", "duplicate_of", "public_note", "created_at", "updated_at",
    "first_decided_at", "fixed_at", "closed_at",
)  # fmt: skip

# A spreadsheet that splits at another sign than ours sees cells that begin within one of ours.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?='*[=+\-@\t\r\n\x00＝＋－＠])")


def plain(text: str) -> str:
    """The text, an apostrophe before whatever a spreadsheet could take for a formula (CWE-1236).

    What had apostrophes there gets one more, so that taking one away gives the text back.
    """
    return _FORMULA.sub(r"\1'", text)


def rows(lines: Iterable[Iterable[object]]) -> str:
    """The lines as CSV."""
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
        ["" if cell is None else plain(str(cell)) for cell in row] for row in lines
    )
    return file.getvalue()


HEAD = rows([COLUMNS])


def text(batch: Iterable[Whole]) -> str:
    """The rows of a batch."""
    return rows(map(_row, batch))


def _row(whole: Whole) -> Sequence[object]:
    row = whole.correction
    suggestions = whole.suggestions()
    return (
        row.id,
        row.state.value,
        "yes" if row.suspected else "no",
        row.url,
        row.title,
        row.lang,
        row.category and row.category.value,
        row.prefix,
        row.exact,
        row.suffix,
        suggestions[0] if suggestions else None,
        "\n".join(filter(None, suggestions[1:])),
        row.wording,
        "\n".join(whole.comments()),
        row.report_count,
        row.assignee,
        row.anchor_state.value,
        row.duplicate_of,
        row.public_note,
        *map(
            instant,
            (
                row.created_at,
                row.updated_at,
                row.first_decided_at,
                row.fixed_at,
                row.closed_at,
            ),
        ),
    )
