"""Moves keep what they changed, so that each can be taken back

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.add_column("corrections", sa.Column("decided_at", UtcDateTime(), nullable=True))
    op.add_column("moves", sa.Column("before", JSON, nullable=True))
    op.add_column("moves", sa.Column("undoes", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE corrections SET decided_at = (SELECT max(created_at) FROM moves "
        "WHERE moves.correction_id = corrections.id) WHERE state <> 'new'"
    )


def downgrade() -> None:
    op.drop_column("corrections", "decided_at")
    op.drop_column("moves", "undoes")
    op.drop_column("moves", "before")
