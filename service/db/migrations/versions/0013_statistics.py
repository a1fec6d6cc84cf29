"""Totals of days and months, and triggers that say which hours changed since

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from service.db import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

DECIDED = ("first_decided_at", "fixed_at", "closed_at")
KIND = ("suspected", "category", "article_id", "created_at")
INDEXES = (
    ("ix_corrections_created_at", "corrections", "created_at", None),
    ("ix_corrections_first_decided_at", "corrections", "first_decided_at", "first_decided_at"),
    ("ix_corrections_fixed_at", "corrections", "fixed_at", "fixed_at"),
    ("ix_corrections_closed_at", "corrections", "closed_at", "closed_at"),
    ("ix_reports_created_at", "reports", "created_at", None),
)


def upgrade() -> None:
    op.create_table(
        "stale_hours",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stale_hours"),
    )
    op.create_index("ix_stale_hours_site_id_hour", "stale_hours", ["site_id", "hour"])
    op.create_table(
        "roll_ups",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("grain", sa.String(length=5), nullable=False),
        sa.Column("dimension", sa.String(length=10), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in (
                "reports",
                "corrections",
                "decided",
                "accepted",
                "rejected",
                "fixed",
                "closed",
            )
        ),
        sa.Column("waits", sa.LargeBinary(), nullable=False),
        sa.Column("repairs", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id", "grain", "dimension", "since", "value", name="pk_roll_ups"
        ),
    )
    op.create_index("ix_roll_ups_site_id_since", "roll_ups", ["site_id", "grain", "since"])
    for name, table, column, given in INDEXES:
        where = sa.text(f"{given} IS NOT NULL") if given else None
        op.create_index(
            name, table, ["site_id", column], sqlite_where=where, postgresql_where=where
        )
    everything = [
        *(_hours("corrections", column) for column in ("created_at", *DECIDED)),
        _hours("reports", "created_at"),
    ]
    op.execute(_insert(everything))
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _hour(instant: str) -> str:
    """The beginning of an instant's hour in UTC."""
    if _is_sqlite():
        return f"substr({instant}, 1, 13) || ':00:00.000000'"
    return f"date_trunc('hour', {instant}, 'UTC')"


def _hours(rows: str, column: str, where: str = "true") -> str:
    return f"SELECT site_id, {_hour(column)} AS hour FROM {rows} WHERE {column} IS NOT NULL AND {where}"


def _insert(selects: Iterable[str]) -> str:
    """Write hours down, each once; on SQLite only those that are not written down yet."""
    found = " UNION ".join(selects)
    if not _is_sqlite():
        return (
            "INSERT INTO stale_hours (id, site_id, hour) "
            f"SELECT gen_random_uuid(), site_id, hour FROM ({found}) AS changed"
        )
    return (
        "INSERT INTO stale_hours (id, site_id, hour) "
        f"SELECT lower(hex(randomblob(16))), site_id, hour FROM ({found}) AS changed "
        "WHERE NOT EXISTS (SELECT 1 FROM stale_hours AS known "
        "WHERE known.site_id = changed.site_id AND known.hour = changed.hour)"
    )


def _of_row(row: str, columns: Iterable[str]) -> list[str]:
    return [
        f"SELECT {row}.site_id AS site_id, {_hour(f'{row}.{column}')} AS hour "
        f"WHERE {row}.{column} IS NOT NULL"
        for column in columns
    ]


def _of_article(article: str) -> list[str]:
    correction = f"article_id = {article}"
    reports = f"correction_id IN (SELECT id FROM corrections WHERE {correction})"
    return [
        *(_hours("corrections", column, correction) for column in ("created_at", *DECIDED)),
        _hours("reports", "created_at", reports),
    ]


def _changes() -> Iterable[tuple[str, str, str, str, list[str]]]:
    """Each row trigger: its name, when, on which table, on what condition, and what is stale."""
    every = ("created_at", *DECIDED)
    own_reports = _hours("reports", "created_at", "correction_id = NEW.id")
    yield (
        "stale_decided",
        f"UPDATE OF state, {', '.join(DECIDED)}",
        "corrections",
        _differs(("state", *DECIDED)),
        [*_of_row("OLD", DECIDED), *_of_row("NEW", DECIDED)],
    )
    yield (
        "stale_kind",
        f"UPDATE OF {', '.join(KIND)}",
        "corrections",
        _differs(KIND),
        [*_of_row("OLD", every), *_of_row("NEW", every), own_reports],
    )
    yield "stale_gone", "DELETE", "corrections", "", _of_row("OLD", every)
    both = [*_of_row("OLD", ["created_at"]), *_of_row("NEW", ["created_at"])]
    moved = ("correction_id", "created_at")
    yield "stale_report", f"UPDATE OF {', '.join(moved)}", "reports", _differs(moved), both
    yield "stale_report_gone", "DELETE", "reports", "", _of_row("OLD", ["created_at"])
    filed = ("section", "lang")
    of_article = _of_article("NEW.id")
    yield "stale_article", f"UPDATE OF {', '.join(filed)}", "articles", _differs(filed), of_article
    of_site = [
        *(_hours("corrections", column, "site_id = NEW.id") for column in every),
        _hours("reports", "created_at", "site_id = NEW.id"),
    ]
    yield "stale_zone", "UPDATE OF time_zone", "sites", _differs(("time_zone",)), of_site


def _differs(columns: Iterable[str]) -> str:
    operator = "IS NOT" if _is_sqlite() else "IS DISTINCT FROM"
    return " OR ".join(f"OLD.{column} {operator} NEW.{column}" for column in columns)


FORGET = "DELETE FROM roll_ups WHERE site_id = NEW.id; "


def _sqlite_triggers() -> None:
    for table, columns in (("corrections", ("created_at", *DECIDED)), ("reports", ("created_at",))):
        op.execute(
            f"CREATE TRIGGER stale_new_{table} AFTER INSERT ON {table} BEGIN "
            f"{_insert(_of_row('NEW', columns))}; END"
        )
    for name, when, table, condition, hours in _changes():
        guard = f"WHEN {condition} " if condition else ""
        forget = FORGET if name == "stale_zone" else ""
        op.execute(
            f"CREATE TRIGGER {name} AFTER {when} ON {table} {guard}BEGIN "
            f"{forget}{_insert(hours)}; END"
        )


def _postgresql_triggers() -> None:
    for table, columns in (("corrections", ("created_at", *DECIDED)), ("reports", ("created_at",))):
        name = f"stale_new_{table}"
        _function(name, f"{_insert(_hours('added', column) for column in columns)};")
        op.execute(
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    for name, when, table, condition, hours in _changes():
        guard = f"WHEN ({condition}) " if condition else ""
        forget = FORGET if name == "stale_zone" else ""
        _function(name, f"{forget}{_insert(hours)};")
        op.execute(
            f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW "
            f"{guard}EXECUTE FUNCTION {name}()"
        )


def _function(name: str, body: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body} RETURN NULL; END $$"
    )


def downgrade() -> None:
    names = [("stale_new_corrections", "corrections"), ("stale_new_reports", "reports")]
    names += [(name, table) for name, _, table, *_ in _changes()]
    for name, table in names:
        if _is_sqlite():
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    for name, table, *_ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_table("roll_ups")
    op.drop_table("stale_hours")
