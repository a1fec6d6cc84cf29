"""The articles of a range are ranked from an index alone

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_roll_ups_reports",
        "roll_ups",
        ["site_id", "grain", "dimension", "since", "value", "reports"],
    )
    op.drop_index("ix_roll_ups_site_id_since", table_name="roll_ups")


def downgrade() -> None:
    op.create_index("ix_roll_ups_site_id_since", "roll_ups", ["site_id", "grain", "since"])
    op.drop_index("ix_roll_ups_reports", table_name="roll_ups")
