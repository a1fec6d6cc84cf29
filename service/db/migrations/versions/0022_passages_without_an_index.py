"""Corrections of a passage are found among those of its article, by that index

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NAME = "ix_corrections_passage"


def upgrade() -> None:
    """Nothing yet: 0023 drops it at its end, or nobody could read corrections meanwhile."""


def downgrade() -> None:
    op.create_index(NAME, "corrections", ["article_id", "passage_hash"], if_not_exists=True)
