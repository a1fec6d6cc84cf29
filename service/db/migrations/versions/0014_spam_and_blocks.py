"""Reports are scored for spam and know their network by a hash; networks can be blocked

Revision ID: 0014
Revises: 0013
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.db import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LIST = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
INDEXES = {
    "ix_reports_network": (["site_id", "network", "created_at"], "network IS NOT NULL"),
    "ix_reports_comment": (["site_id", "comment_hash"], "comment_hash IS NOT NULL"),
    "ix_reports_email": (["site_id", "email"], "email IS NOT NULL"),
}


def of_reports() -> list[sa.Column[Any]]:
    return [
        sa.Column("spam_score", sa.Integer(), server_default="0", nullable=False),
        sa.Column("spam_reasons", LIST, server_default="[]", nullable=False),
        sa.Column("network", sa.String(length=43), nullable=True),
        sa.Column("comment_hash", sa.String(length=64), nullable=True),
    ]


def upgrade() -> None:
    for column in of_reports():
        op.add_column("reports", column)
    for name, (columns, condition) in INDEXES.items():
        has = sa.text(condition)
        op.create_index(name, "reports", columns, sqlite_where=has, postgresql_where=has)
    op.create_table(
        "network_keys",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_network_keys_site_id_sites"),
        sa.PrimaryKeyConstraint("site_id", "period", name="pk_network_keys"),
    )
    op.create_table(
        "blocks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("network", sa.String(length=43), nullable=False),
        sa.Column("by", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "period"],
            ["network_keys.site_id", "network_keys.period"],
            name="fk_blocks_key_network_keys",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_blocks"),
        sa.UniqueConstraint("site_id", "network", name="uq_blocks_site_id_network"),
    )
    op.create_table(
        "spent_challenges",
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("signature", name="pk_spent_challenges"),
    )
    op.create_index("ix_spent_challenges_expires_at", "spent_challenges", ["expires_at"])


def downgrade() -> None:
    for table in ("spent_challenges", "blocks", "network_keys"):
        op.drop_table(table)
    for name in INDEXES:
        op.drop_index(name, "reports")
    for column in of_reports():
        op.drop_column("reports", column.name)
