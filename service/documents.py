"""Finding corrections by words in every script: any part of a text, whatever its case.

Texts and queries are spelled by `text.normalise`, so that both databases find the same. An index of
trigrams (SQLite FTS5, PostgreSQL pg_trgm) leads to what has the query's letters; the text decides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from service.db import Prepared
from service.models import Article, Correction, Document, Report
from service.text import normalise

SHORTEST = 3
"""So many characters the index needs."""

FEW = 5_000
"""Up to so many documents lead to their corrections; where there are more, each row is asked."""

_TRIGRAMS = 40
_BATCH = 1_000
_BETWEEN = "\n"  # No query has one.
INDEX = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'documents_index'",
    "postgresql": "SELECT 1 FROM pg_indexes WHERE indexname = 'documents_index' "
    "AND schemaname = current_schema()",
}


def has_index(session: Session) -> bool:
    """Whether the index of trigrams is there; without it, search works but reads everything."""
    return session.scalar(sql(INDEX[session.get_bind().dialect.name])) is not None


Spell = Callable[[str], str]


def of_passage(
    exact: str | None, wording: str | None, title: str | None, url: str, spell: Spell = normalise
) -> str:
    """The text of a correction's own document; `spell` is `normalise`, or remembers it."""
    return _joined((exact, wording, title, url, unquote(url)), spell)


def of_report(suggestion: str | None, comment: str | None, spell: Spell = normalise) -> str:
    """The text of a report's document; empty where the report has no words of its own."""
    return _joined((suggestion, comment), spell)


def _joined(parts: Iterable[str | None], spell: Spell) -> str:
    return _BETWEEN.join(dict.fromkeys(filter(None, (spell(part) for part in parts if part))))


def add(session: Session, correction_id: UUID, report: Mapping[str, Any], own: str = "") -> None:
    """Let a correction be found by a report (id, suggestion, comment).

    The first report brings the text of the correction's own document too.
    """
    rows = [{"correction": correction_id, "report": None, "text": own}] if own else []
    if words := of_report(report["suggestion"], report["comment"]):
        rows.append({"correction": correction_id, "report": report["id"], "text": words})
    if rows:
        _ADD.run(session, *rows)


_ADD = Prepared(
    insert(Document).values(
        correction_id=bindparam("correction"),
        report_id=bindparam("report"),
        text=bindparam("text"),
    )
)


def refresh(session: Session, *which: ColumnElement[bool]) -> None:
    """Write the own documents of these corrections anew: a wording or a title has changed."""
    session.flush()
    rows = session.execute(
        select(Document.id, Document.text, *_PASSAGE)
        .join(Correction, Correction.id == Document.correction_id)
        .join(Article, Article.id == Correction.article_id)
        .where(Document.report_id.is_(None), *which)
    ).all()
    told = [(row.id, row.text, of_passage(*row[2:])) for row in rows]
    changed = [(document_id, words) for document_id, known, words in told if words != known]
    for document_id, words in changed:
        session.execute(update(Document).where(Document.id == document_id).values(text=words))


_PASSAGE = (Correction.exact, Correction.wording, Article.title, Article.url)


def fill(connection: Connection) -> int:
    """Write the documents of all corrections that have none; returns how many it wrote."""
    written, last = 0, None
    while rows := connection.execute(_without(last)).all():
        last = rows[-1].id
        found = list(_documents(connection, rows))
        connection.execute(insert(Document), found)
        written += len(found)
    return written


def _without(last: UUID | None) -> Select[*tuple[Any, ...]]:
    missing: Select[*tuple[Any, ...]] = (
        select(Correction.id, *_PASSAGE)
        .join(Article, Article.id == Correction.article_id)
        .where(~exists().where(Document.correction_id == Correction.id))
        .order_by(Correction.id)
        .limit(_BATCH)
    )
    return missing if last is None else missing.where(Correction.id > last)


def _documents(connection: Connection, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {"correction_id": row.id, "report_id": None, "text": of_passage(*row[1:])}
    reports = connection.execute(
        select(Report.id, Report.correction_id, Report.suggestion, Report.comment).where(
            Report.correction_id.in_([row.id for row in rows])
        )
    )
    for report in reports:
        if words := of_report(report.suggestion, report.comment):
            yield {
                "correction_id": report.correction_id,
                "report_id": report.id,
                "text": words,
            }


class Query:
    """What was asked for, and how it is looked for best."""

    def __init__(self, session: Session, asked: str) -> None:
        self.words = normalise(asked)
        self._is_sqlite = session.get_bind().dialect.name == "sqlite"
        self.is_short = len(self.words) < SHORTEST
        self.is_pointed = bool(self.words) and not self.is_short and self._leads_to_few(session)

    def _leads_to_few(self, session: Session) -> bool:
        """Whether the index leads to few documents; they are counted up to FEW."""
        if not has_index(session):
            return False
        found = select(Document.id).where(self._indexed()).limit(FEW + 1).subquery()
        return (session.scalar(select(func.count()).select_from(found)) or 0) <= FEW

    def _indexed(self) -> ColumnElement[bool]:
        if not self._is_sqlite:
            return self._has_words()
        matching = sql("SELECT rowid FROM documents_index WHERE documents_index MATCH :trigrams")
        return Document.id.in_(matching.bindparams(trigrams=self._trigrams()).columns(Document.id))

    def _trigrams(self) -> str:
        starts = range(len(self.words) - 2)
        few = starts[:: -(-len(starts) // _TRIGRAMS)]
        quoted = (self.words[at : at + 3].replace('"', '""') for at in few)
        return " AND ".join(f'"{trigram}"' for trigram in quoted)

    def _has_words(self) -> ColumnElement[bool]:
        if self._is_sqlite:
            return func.instr(Document.text, self.words) > 0
        return Document.text.contains(self.words, autoescape=True)

    def of(self, correction: type[Correction]) -> ColumnElement[bool]:
        """That the correction has the words."""
        if self.is_pointed:
            found = select(Document.correction_id).where(self._indexed(), self._has_words())
            return correction.id.in_(found)
        # A scalar, so that no planner makes a join of it that reads all documents.
        has: Select[Any] = select(literal_column("1")).where(
            Document.correction_id == correction.id, self._has_words()
        )
        return has.limit(1).scalar_subquery() == 1
