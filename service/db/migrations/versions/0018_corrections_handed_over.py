"""What was handed over of a correction is found by an index

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OF_ONE_WEBHOOK = sa.text("webhook_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_events_of_one_webhook",
        "events",
        ["subject_id", "id"],
        sqlite_where=OF_ONE_WEBHOOK,
        postgresql_where=OF_ONE_WEBHOOK,
    )


def downgrade() -> None:
    op.drop_index("ix_events_of_one_webhook", table_name="events")
