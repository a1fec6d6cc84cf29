"""A delivery may also go to a channel, or be a letter

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
PENDING = sa.text("state = 'pending'")

STATE = "state IN ('pending', 'delivered', 'failed', 'dropped')"
ONE_WAY = (
    "(webhook_id IS NOT NULL AND channel_id IS NULL AND letter_id IS NULL)"
    " OR (webhook_id IS NULL AND channel_id IS NOT NULL AND letter_id IS NULL)"
    " OR (webhook_id IS NULL AND channel_id IS NULL AND letter_id IS NOT NULL)"
)
ONE_CONTENT = "(event_id IS NULL) = (letter_id IS NOT NULL)"
_COPY = """
INSERT INTO new_deliveries (
    id, event_id, lane_id, webhook_id, subject_id, state, attempt_count, next_attempt_at,
    leased_until, leased_by, created_at, finished_at
)
SELECT
    id, event_id, webhook_id, webhook_id, subject_id, state, attempt_count, next_attempt_at,
    leased_until, leased_by, created_at, finished_at
FROM deliveries
"""


def upgrade() -> None:
    _make_channels()
    _make_letters()
    if op.get_bind().dialect.name == "sqlite":
        # SQLite cannot drop NOT NULL: the table is copied, with foreign keys off (env.py), so that
        # no attempt goes with the old one. Its rows are short, and pruned.
        _make_deliveries("new_deliveries")
        op.execute(_COPY)
        op.drop_table("deliveries")
        op.rename_table("new_deliveries", "deliveries")
    else:
        _alter_deliveries()
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["lane_id", "next_attempt_at", "id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index(
        "ix_deliveries_order",
        "deliveries",
        ["lane_id", "subject_id", "event_id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index("ix_deliveries_channel_id", "deliveries", ["channel_id", "id"])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_deliveries_webhook_id", "deliveries", ["webhook_id", "id"])


def _make_channels() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "medium",
            sa.Enum(
                "mail",
                "slack",
                "mattermost",
                "discord",
                "telegram",
                "teams",
                name="medium",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("target", JSON, nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column(
            "pace",
            sa.Enum(
                "at_once",
                "hourly",
                "daily",
                name="pace",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("least_reports", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(length=200), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_channels_site_id_sites"),
        sa.PrimaryKeyConstraint("id", name="pk_channels"),
    )
    op.create_index("ix_channels_site_id", "channels", ["site_id"])


def _make_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(length=254), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_letters_site_id_sites"),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
    )
    op.create_index("ix_letters_site_id", "letters", ["site_id"])
    op.create_index("ix_letters_subject_id", "letters", ["subject_id"])


def _make_deliveries(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("lane_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=True),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("letter_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("leased_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(STATE, name="ck_deliveries_state"),
        sa.CheckConstraint(ONE_WAY, name="ck_deliveries_one_way"),
        sa.CheckConstraint(ONE_CONTENT, name="ck_deliveries_one_content"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_deliveries_event_id_events"),
        *(
            sa.ForeignKeyConstraint(
                [f"{one}_id"],
                [f"{one}s.id"],
                name=f"fk_deliveries_{one}_id_{one}s",
                ondelete="CASCADE",
            )
            for one in ("webhook", "channel", "letter")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("event_id", "lane_id", name="uq_deliveries_event_id_lane_id"),
        sa.UniqueConstraint("letter_id", name="uq_deliveries_letter_id"),
    )


def _alter_deliveries() -> None:
    for index in ("ix_deliveries_due", "ix_deliveries_order"):
        op.drop_index(index, table_name="deliveries")
    for column in ("lane_id", "channel_id", "letter_id", "message_id"):
        op.add_column("deliveries", sa.Column(column, sa.Uuid(), nullable=True))
    op.execute("UPDATE deliveries SET lane_id = webhook_id")
    op.alter_column("deliveries", "lane_id", nullable=False)
    op.alter_column("deliveries", "webhook_id", nullable=True)
    op.alter_column("deliveries", "event_id", nullable=True)
    op.drop_constraint("uq_deliveries_event_id_webhook_id", "deliveries")
    op.create_unique_constraint(
        "uq_deliveries_event_id_lane_id", "deliveries", ["event_id", "lane_id"]
    )
    op.create_unique_constraint("uq_deliveries_letter_id", "deliveries", ["letter_id"])
    for one in ("channel", "letter"):
        op.create_foreign_key(
            f"fk_deliveries_{one}_id_{one}s",
            "deliveries",
            f"{one}s",
            [f"{one}_id"],
            ["id"],
            ondelete="CASCADE",
        )
    op.drop_constraint(op.f("ck_deliveries_state"), "deliveries")
    for name, rule in (("state", STATE), ("one_way", ONE_WAY), ("one_content", ONE_CONTENT)):
        op.create_check_constraint(op.f(f"ck_deliveries_{name}"), "deliveries", rule)


def downgrade() -> None:
    raise RuntimeError("Letters fit into no earlier schema: restore the backup from before.")
