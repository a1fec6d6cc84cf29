"""What the triggers would have done for the rows: counts, and the words that search finds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db import inserting
from service.models import Document, Tally

TABS = ("new", "accepted", "fixed", "rejected", "spam", "suspected")

GATHERED, USUALLY = 64 * 2**20, 2**20
"""So many bytes of SQLite's search index are gathered before they are written as a part."""


@contextmanager
def gathering(session: Session) -> Iterator[None]:
    """Let SQLite's search index take many documents in the block."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    gather = "INSERT INTO documents_index (documents_index, rank) VALUES ('hashsize', ?)"
    if is_sqlite:
        session.connection().exec_driver_sql(gather, (GATHERED,))
    yield
    if is_sqlite:
        session.connection().exec_driver_sql(gather, (USUALLY,))


def newest_document(session: Session) -> int:
    """The id of the document that came last; 0 where there is none."""
    return session.scalar(select(func.max(Document.id))) or 0


def index_documents(session: Session, after: int) -> None:
    """Let the search find the documents that came after this; PostgreSQL does it by itself."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(
            "INSERT INTO documents_index (rowid, text) "
            "SELECT id, text FROM documents WHERE id > ? ORDER BY id",
            (after,),
        )


def tally(session: Session, site_id: UUID, came: Mapping[str, int]) -> None:
    """Count the corrections that came by tab, as the triggers would have."""
    counts = {f"{tab}_count": came.get(tab, 0) for tab in TABS}
    values = {**counts, "site_id": site_id, "shard": 0, "changes": sum(counts.values())}
    insert = inserting(session, Tally)
    more = {name: getattr(Tally, name) + insert.excluded[name] for name in (*counts, "changes")}
    made = insert.values(values)
    session.execute(made.on_conflict_do_update(index_elements=["site_id", "shard"], set_=more))
