"""Finding corrections by words in every script: any part of a text, whatever its case.

Texts and queries are spelled by `text.normalise`, so that both databases find the same. An index of
trigrams (SQLite FTS5, PostgreSQL pg_trgm) leads to what has the query's letters; the text decides.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    type_coerce,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from service.db import Asking, Prepared
from service.models import Article, Correction, Document, Report
from service.text import normalise

SHORTEST = 3
"""So many characters the index needs."""

FEW = 10_000
"""Up to so many documents lead to their corrections; where there are more, each row is asked."""

REGIONS = (10_000, 75_000)
"""So many documents, those of the corrections that come next, are looked through for one page."""

NEAR = 1_000
"""Up to so many ids of those that come next are taken at once."""

_SEVERAL, _MOST = 5, 16
"""Trigrams that are looked up: all of a short word, some of a phrase, since each takes time."""
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
    exact: str | None,
    wording: str | None,
    title: str | None,
    url: str,
    spell: Spell = normalise,
) -> str:
    """The text of a correction's own document; `spell` is `normalise`, or remembers it."""
    return _joined((exact, wording, title, url, unquote(url)), spell)


def of_report(suggestion: str | None, comment: str | None, spell: Spell = normalise) -> str:
    """The text of a report's document; empty where the report has no words of its own."""
    return _joined((suggestion, comment), spell)


def _joined(parts: Iterable[str | None], spell: Spell) -> str:
    return _BETWEEN.join(dict.fromkeys(filter(None, (spell(part) for part in parts if part))))


def of_new(correction_id: UUID, report: Mapping[str, Any], own: str = "") -> list[dict[str, Any]]:
    """The rows by which a correction is found by a report (id, suggestion, comment).

    The first report brings the text of the correction's own document too.
    """
    rows = of_own(correction_id, own) if own else []
    if words := of_report(report["suggestion"], report["comment"]):
        rows.append({"correction_id": correction_id, "report_id": report["id"], "text": words})
    return rows


def of_own(correction_id: UUID, words: str) -> list[dict[str, Any]]:
    """The row of a correction's own document."""
    return [{"correction_id": correction_id, "report_id": None, "text": words}]


def add(session: Asking, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as `of_new` makes them."""
    _ADD.run(session, *rows)


_ADD = Prepared.insert(Document, "correction_id report_id text")


def refresh(session: Session, *which: ColumnElement[bool]) -> None:
    """Write the own documents of these corrections anew: a wording or a title has changed.

    A correction that has none gets one.
    """
    session.flush()
    own = and_(Document.correction_id == Correction.id, Document.report_id.is_(None))
    rows = session.execute(
        select(Correction.id.label("correction_id"), Document.id, Document.text, *_PASSAGE)
        .join(Article, Article.id == Correction.article_id)
        .outerjoin(Document, own)
        .where(*which)
    ).all()
    for row in rows:
        words = of_passage(*row[3:])
        if row.id is None:
            add(session, of_own(row.correction_id, words))
        elif words != row.text:
            session.execute(update(Document).where(Document.id == row.id).values(text=words))


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


_INDEX = table("documents_index", column("documents_index", String), column("rowid", Integer))
_AT, _MATCHES = _INDEX.c.rowid, _INDEX.c.documents_index.op("MATCH", is_comparison=True)


@dataclass(frozen=True, slots=True)
class Order:
    """Which corrections come next: the newest, or the oldest, after this one."""

    is_newest: bool
    after: UUID | None = None

    def region(self, *columns: Any) -> Select[Any]:
        """Their documents."""
        of, found = Document.correction_id, select(*columns)
        if self.after:
            found = found.where(of < self.after if self.is_newest else of > self.after)
        return self.sort(found, of)

    def sort(self, found: Select[Any], of: Any) -> Select[Any]:
        """Rows in the order of these ids of corrections."""
        return found.order_by(of.desc() if self.is_newest else of.asc())


class Query:
    """What was asked for, and how it is looked for best."""

    def __init__(self, session: Session, asked: str) -> None:
        self.words = normalise(asked)
        self._session = session
        self._is_sqlite = session.get_bind().dialect.name == "sqlite"

    @cached_property
    def has_index(self) -> bool:
        """Whether an index leads to what it finds."""
        return len(self.words) >= SHORTEST and has_index(self._session)

    @property
    def is_pointed(self) -> bool:
        """Whether the index leads to few."""
        return self._few is not None

    @cached_property
    def _few(self) -> Sequence[str] | None:
        """The ids of the corrections that the index leads to; None where documents are many."""
        if not self.has_index:
            return None
        matching = self._matching().limit(FEW + 1).cte("matching").prefix_with("MATERIALIZED")
        looked = select(func.count()).select_from(matching).scalar_subquery()
        led = select(matching.c.id).where(looked <= FEW)
        if self._is_sqlite:
            correction_id = Document.correction_id.label("id")
            led = select(correction_id).where(Document.id.in_(led), self._has_words())
        of = self._as_text(led.subquery().c.id)
        together = func.json_group_array(of, type_=JSON) if self._is_sqlite else func.array_agg(of)
        ids = select(together).scalar_subquery()
        number, found = self._session.execute(select(looked, ids)).one()
        return None if number > FEW else list(set(found or ()))

    def near(self, order: Order, most: int, enough: int) -> Sequence[str]:
        """The ids of those that come next, without a gap, until there are enough.

        At most `most` documents are looked through.
        """
        region = order.region(Document.correction_id, Document.text).limit(most).subquery()
        of, has = region.c.correction_id, self._has_words(region.c.text)
        found = order.sort(select(self._as_text(of)).where(has), of).limit(enough)
        return self._session.scalars(found).all()

    def _as_text(self, correction_id: Any) -> Any:
        """An id as text, as SQLite keeps it: thousands are read for one page."""
        return (type_coerce if self._is_sqlite else cast)(correction_id, String)

    def nearest(self, order: Order) -> Sequence[str]:
        """The ids of those that come next, of the few that the index leads to."""
        found: Iterable[str] = self._few or ()
        if order.after:
            after = order.after.hex if self._is_sqlite else str(order.after)
            found = (each for each in found if (each < after if order.is_newest else each > after))
        return sorted(found, reverse=order.is_newest)[:NEAR]

    def _matching(self) -> Select[Any]:
        """The corrections of documents that have it; on SQLite documents that may have it."""
        if not self._is_sqlite:
            return select(Document.correction_id.label("id")).where(self._has_words())
        return select(_AT.label("id")).where(_MATCHES(self._trigrams()))

    def _trigrams(self) -> str:
        last = len(self.words) - SHORTEST
        step = max(min(SHORTEST, -(-last // _SEVERAL)), -(-last // _MOST))
        quoted = (
            self.words[at : at + SHORTEST].replace('"', '""')
            for at in dict.fromkeys((*range(0, last, step or 1), last))
        )
        return " AND ".join(f'"{trigram}"' for trigram in quoted)

    def _has_words(self, text: Any = Document.text) -> ColumnElement[bool]:
        if self._is_sqlite:
            return func.instr(text, self.words) > 0
        has: ColumnElement[bool] = text.contains(self.words, autoescape=True)
        return has

    def few(self, correction: type[Correction]) -> ColumnElement[bool]:
        """That the correction is one of the few that the index leads to."""
        return self.among(self._few or (), correction)

    def among(self, ids: Sequence[str], correction: type[Correction]) -> ColumnElement[bool]:
        """That the correction is one of these."""
        if not self._is_sqlite:
            kind = ARRAY(Uuid(as_uuid=False))
            return correction.id == any_(bindparam("found", ids, kind, unique=True))
        found = func.json_each(json.dumps(ids)).table_valued("value")
        return correction.id.in_(select(type_coerce(found.c.value, Uuid)))

    def all(self, correction: type[Correction]) -> ColumnElement[bool]:
        """The same, the index leading to all that have the words, however many."""
        matching = self._matching()
        if self._is_sqlite:
            matching = select(Document.correction_id).where(
                Document.id.in_(matching), self._has_words()
            )
        return correction.id.in_(matching)

    def each(self, correction: type[Correction]) -> ColumnElement[bool]:
        """That the correction has the words: its documents are read."""
        # A scalar, so that no planner makes a join of it that reads all documents.
        has: Select[Any] = select(literal_column("1")).where(
            Document.correction_id == correction.id, self._has_words()
        )
        return has.limit(1).scalar_subquery() == 1
