"""Webhooks keep the order of one subject's events, and may have a description and own headers

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.add_column(
        "webhooks",
        sa.Column("description", sa.String(length=200), server_default="", nullable=False),
    )
    op.add_column("webhooks", sa.Column("headers", JSON, server_default="{}", nullable=False))
    op.add_column("attempts", sa.Column("request", JSON, nullable=True))
    op.add_column("deliveries", sa.Column("subject_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE deliveries SET subject_id = "
        "(SELECT subject_id FROM events WHERE events.id = deliveries.event_id)"
    )
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["webhook_id", "next_attempt_at", "id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index(
        "ix_deliveries_order",
        "deliveries",
        ["webhook_id", "subject_id", "event_id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_order", table_name="deliveries")
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["next_attempt_at"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    for table, column in (
        ("deliveries", "subject_id"),
        ("attempts", "request"),
        ("webhooks", "headers"),
        ("webhooks", "description"),
    ):
        op.drop_column(table, column)
