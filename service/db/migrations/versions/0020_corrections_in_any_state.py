"""Corrections of a site in any state, by time, are found by an index

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_corrections_all", "corrections", ["site_id", "suspected", "id"])


def downgrade() -> None:
    op.drop_index("ix_corrections_all", table_name="corrections")
