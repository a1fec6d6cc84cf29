"""PostgreSQL counts an updated correction as one change, as SQLite does

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABS = {
    **{
        tab: f"state = '{tab}' AND NOT suspected"
        for tab in ("new", "accepted", "fixed", "rejected")
    },
    "spam": "state = 'spam'",
    "suspected": "suspected AND state <> 'spam'",
}


def upgrade() -> None:
    _count("count(*) FILTER (WHERE sign > 0)")


def downgrade() -> None:
    _count("count(*)")


def _count(changes: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    columns = ", ".join(f"{tab}_count" for tab in TABS)
    sums = ", ".join(f"sum(CASE WHEN {is_in} THEN sign ELSE 0 END)" for is_in in TABS.values())
    added = ", ".join(f"{tab}_count = tallies.{tab}_count + excluded.{tab}_count" for tab in TABS)
    op.execute(
        "CREATE OR REPLACE FUNCTION tally_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO tallies (site_id, shard, {columns}, changes) "
        f"SELECT site_id, pg_backend_pid() % 256, {sums}, {changes} FROM ("
        "SELECT site_id, state, suspected, 1 AS sign FROM came UNION ALL "
        "SELECT site_id, state, suspected, -1 AS sign FROM went) AS signed "
        "GROUP BY site_id ORDER BY site_id ON CONFLICT (site_id, shard) DO UPDATE SET "
        f"{added}, changes = tallies.changes + excluded.changes; RETURN NULL; END $$"
    )
