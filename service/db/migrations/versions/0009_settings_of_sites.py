"""Sites have more settings, editors a name, a language and a time zone

Revision ID: 0009
Revises: 0008
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LIST = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
CATEGORIES = '["typo", "grammar", "fact", "clarification", "translation", "link", "other"]'


def of_sites() -> list[sa.Column[Any]]:
    return [
        sa.Column("corrections_policy_url", sa.String(length=2048), nullable=True),
        sa.Column("categories", LIST, server_default=CATEGORIES, nullable=False),
        sa.Column("languages", LIST, server_default="[]", nullable=False),
        sa.Column("reject_reasons", LIST, server_default="[]", nullable=False),
        sa.Column("email_retention_days", sa.Integer(), server_default="90", nullable=False),
        sa.Column("network_retention_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("spam_threshold", sa.Integer(), server_default="50", nullable=False),
        sa.Column("challenge_threshold", sa.Integer(), nullable=True),
        sa.Column("blocked_words", LIST, server_default="[]", nullable=False),
        sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    ]


def of_editors() -> list[sa.Column[Any]]:
    return [
        sa.Column("name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
    ]


def upgrade() -> None:
    for column in of_sites():
        op.add_column("sites", column)
    for column in of_editors():
        op.add_column("editors", column)


def downgrade() -> None:
    for column in of_editors():
        op.drop_column("editors", column.name)
    for column in of_sites():
        op.drop_column("sites", column.name)
