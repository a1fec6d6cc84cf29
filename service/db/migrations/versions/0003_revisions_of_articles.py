"""Articles have revisions, and reports say which one they saw

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from service.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_revisions_article_id_articles"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.UniqueConstraint("article_id", "number", name="uq_revisions_article_id_number"),
    )
    op.add_column("reports", sa.Column("revision", sa.String(length=8), nullable=True))
    op.add_column("reports", sa.Column("proposal", sa.Text(), nullable=True))
    op.add_column(
        "reports",
        sa.Column("already_fixed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.execute("UPDATE reports SET proposal = suggestion")


def downgrade() -> None:
    op.drop_column("reports", "already_fixed")
    op.drop_column("reports", "proposal")
    op.drop_column("reports", "revision")
    op.drop_table("revisions")
