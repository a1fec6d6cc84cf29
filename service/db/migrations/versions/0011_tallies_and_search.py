"""Corrections are counted as they change, and found by trigrams

Revision ID: 0011
Revises: 0010
"""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from service import documents

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

log = logging.getLogger(__name__)

ASSIGNED = sa.text("assignee_id IS NOT NULL")
REPORTED = sa.text("report_id IS NOT NULL")
TABS = ("new", "accepted", "fixed", "rejected", "spam", "suspected")


def is_in(tab: str, row: str) -> str:
    """That a row of corrections is counted under this tab."""
    if tab == "suspected":
        return f"({row}suspected AND {row}state <> 'spam')"
    if tab == "spam":
        return f"({row}state = 'spam')"
    return f"({row}state = '{tab}' AND NOT {row}suspected)"


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(f"{tab}_count", sa.Integer(), nullable=False) for tab in TABS),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name="fk_tallies_site_id_sites", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "shard", name="pk_tallies"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["corrections.id"],
            name="fk_documents_correction_id_corrections",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name="fk_documents_report_id_reports", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_index("ix_documents_correction_id", "documents", ["correction_id"])
    op.create_index(
        "ix_documents_report_id",
        "documents",
        ["report_id"],
        sqlite_where=REPORTED,
        postgresql_where=REPORTED,
    )
    op.create_index(
        "ix_corrections_article", "corrections", ["article_id", "suspected", "state", "id"]
    )
    op.create_index(
        "ix_corrections_assignee",
        "corrections",
        ["assignee_id", "suspected", "state", "id"],
        sqlite_where=ASSIGNED,
        postgresql_where=ASSIGNED,
    )
    counts = ", ".join(f"sum(CASE WHEN {is_in(tab, '')} THEN 1 ELSE 0 END)" for tab in TABS)
    op.execute(
        f"INSERT INTO tallies SELECT site_id, 0, {counts}, count(*) FROM corrections GROUP BY site_id"
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql(connection)
    documents.fill(connection)


def _sqlite() -> None:
    columns = ", ".join(f"{tab}_count" for tab in TABS)
    came = ", ".join(is_in(tab, "new.") for tab in TABS)
    added = ", ".join(f"{tab}_count = {tab}_count + excluded.{tab}_count" for tab in TABS)
    moved = ", ".join(
        f"{tab}_count = {tab}_count + {is_in(tab, 'new.')} - {is_in(tab, 'old.')}" for tab in TABS
    )
    went = ", ".join(f"{tab}_count = {tab}_count - {is_in(tab, 'old.')}" for tab in TABS)
    more = "changes = changes + 1"
    op.execute(
        "CREATE TRIGGER tally_insert AFTER INSERT ON corrections BEGIN "
        f"INSERT INTO tallies (site_id, shard, {columns}, changes) "
        f"VALUES (new.site_id, 0, {came}, 1) "
        f"ON CONFLICT (site_id, shard) DO UPDATE SET {added}, {more}; END"
    )
    op.execute(
        "CREATE TRIGGER tally_update AFTER UPDATE ON corrections BEGIN "
        f"UPDATE tallies SET {moved}, {more} WHERE site_id = new.site_id AND shard = 0; END"
    )
    op.execute(
        "CREATE TRIGGER tally_delete AFTER DELETE ON corrections BEGIN "
        f"UPDATE tallies SET {went}, {more} WHERE site_id = old.site_id AND shard = 0; END"
    )
    op.execute(
        "CREATE VIRTUAL TABLE documents_index USING fts5(text, content='documents', "
        "content_rowid='id', tokenize='trigram', detail=none, columnsize=0)"
    )
    add = "INSERT INTO documents_index (rowid, text) VALUES (new.id, new.text);"
    drop = (
        "INSERT INTO documents_index (documents_index, rowid, text) "
        "VALUES ('delete', old.id, old.text);"
    )
    op.execute(f"CREATE TRIGGER documents_insert AFTER INSERT ON documents BEGIN {add} END")
    op.execute(f"CREATE TRIGGER documents_delete AFTER DELETE ON documents BEGIN {drop} END")
    op.execute(
        f"CREATE TRIGGER documents_update AFTER UPDATE OF text ON documents BEGIN {drop} {add} END"
    )
    op.execute(
        "CREATE TRIGGER documents_forget AFTER UPDATE OF suggestion, comment ON reports "
        "WHEN old.suggestion IS NOT new.suggestion OR old.comment IS NOT new.comment BEGIN "
        "DELETE FROM documents WHERE report_id = new.id; END"
    )
    op.execute(
        "CREATE TRIGGER documents_follow AFTER UPDATE OF correction_id ON reports BEGIN "
        "UPDATE documents SET correction_id = new.correction_id WHERE report_id = new.id; END"
    )


def _postgresql(connection: sa.Connection) -> None:
    columns = ", ".join(f"{tab}_count" for tab in TABS)
    sums = ", ".join(f"sum(CASE WHEN {is_in(tab, '')} THEN sign ELSE 0 END)" for tab in TABS)
    added = ", ".join(f"{tab}_count = tallies.{tab}_count + excluded.{tab}_count" for tab in TABS)
    came = "SELECT site_id, state, suspected, 1 AS sign FROM came"
    went = "SELECT site_id, state, suspected, -1 AS sign FROM went"
    for event, tables, rows in (
        ("insert", "NEW TABLE AS came", came),
        ("update", "OLD TABLE AS went NEW TABLE AS came", f"{came} UNION ALL {went}"),
        ("delete", "OLD TABLE AS went", went),
    ):
        op.execute(
            f"CREATE FUNCTION tally_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"INSERT INTO tallies (site_id, shard, {columns}, changes) "
            f"SELECT site_id, pg_backend_pid() % 256, {sums}, count(*) FROM ({rows}) AS signed "
            "GROUP BY site_id ORDER BY site_id ON CONFLICT (site_id, shard) DO UPDATE SET "
            f"{added}, changes = tallies.changes + excluded.changes; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER tally_{event} AFTER {event} ON corrections REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION tally_{event}()"
        )
    op.execute(
        "CREATE FUNCTION documents_forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "DELETE FROM documents WHERE report_id = new.id; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER documents_forget AFTER UPDATE OF suggestion, comment ON reports FOR EACH ROW "
        "WHEN (old.suggestion IS DISTINCT FROM new.suggestion "
        "OR old.comment IS DISTINCT FROM new.comment) EXECUTE FUNCTION documents_forget()"
    )
    op.execute(
        "CREATE FUNCTION documents_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE documents SET correction_id = new.correction_id WHERE report_id = new.id; "
        "RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER documents_follow AFTER UPDATE OF correction_id ON reports FOR EACH ROW "
        "WHEN (old.correction_id IS DISTINCT FROM new.correction_id) "
        "EXECUTE FUNCTION documents_follow()"
    )
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            op.execute("CREATE INDEX documents_index ON documents USING gin (text gin_trgm_ops)")
    except DBAPIError as refused:
        log.warning(
            "search has no index, `corrigenda doctor` tells how to make it: %s", refused.orig
        )


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table in (
        ("tally_insert", "corrections"),
        ("tally_update", "corrections"),
        ("tally_delete", "corrections"),
        ("documents_forget", "reports"),
        ("documents_follow", "reports"),
    ):
        op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
        if not is_sqlite:
            op.execute(f"DROP FUNCTION {name}()")
    if is_sqlite:
        op.execute("DROP TABLE documents_index")
    op.drop_index("ix_corrections_assignee", table_name="corrections")
    op.drop_index("ix_corrections_article", table_name="corrections")
    op.drop_table("documents")
    op.drop_table("tallies")
