"""What is published of corrections, and readers who asked to hear back

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from service.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "correction",
                "clarification",
                "update",
                "retraction",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("said", sa.String(length=2000), nullable=True),
        sa.Column("says", sa.String(length=2000), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("thanks", sa.String(length=200), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=500), nullable=True),
        sa.Column("announced_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_publications_article_id_articles"
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name="fk_publications_correction_id_corrections"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_publications_site_id_sites"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.UniqueConstraint("correction_id", name="uq_publications_correction_id"),
    )
    op.create_index("ix_publications_article", "publications", ["article_id", "published_at"])
    op.create_index("ix_publications_record", "publications", ["site_id", "published_at", "id"])
    op.create_index(
        "ix_publications_unannounced",
        "publications",
        ["published_at"],
        sqlite_where=sa.text("announced_at IS NULL"),
        postgresql_where=sa.text("announced_at IS NULL"),
    )

    op.create_table(
        "publication_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "correction",
                "clarification",
                "update",
                "retraction",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("said", sa.String(length=2000), nullable=True),
        sa.Column("says", sa.String(length=2000), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("thanks", sa.String(length=200), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("by", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name="fk_publication_versions_publication_id_publications",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_publication_versions"),
        sa.UniqueConstraint(
            "publication_id", "number", name="uq_publication_versions_publication_id_number"
        ),
    )
    op.add_column("reports", sa.Column("email_asked_at", UtcDateTime(), nullable=True))
    op.add_column("reports", sa.Column("email_hash", sa.String(length=43), nullable=True))
    op.add_column("reports", sa.Column("email_confirmed_at", UtcDateTime(), nullable=True))
    # Nobody promised these readers a letter.
    op.execute("UPDATE reports SET email_asked_at = created_at WHERE email IS NOT NULL")
    op.create_index(
        "ix_reports_confirmed",
        "reports",
        ["correction_id"],
        sqlite_where=sa.text("email IS NOT NULL AND email_confirmed_at IS NOT NULL"),
        postgresql_where=sa.text("email IS NOT NULL AND email_confirmed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_reports_email_hash",
        "reports",
        ["email_hash"],
        sqlite_where=sa.text("email_hash IS NOT NULL"),
        postgresql_where=sa.text("email_hash IS NOT NULL"),
    )
    op.create_index(
        "ix_reports_unasked",
        "reports",
        ["id"],
        sqlite_where=sa.text("email IS NOT NULL AND email_asked_at IS NULL"),
        postgresql_where=sa.text("email IS NOT NULL AND email_asked_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_reports_unasked",
        table_name="reports",
        sqlite_where=sa.text("email IS NOT NULL AND email_asked_at IS NULL"),
        postgresql_where=sa.text("email IS NOT NULL AND email_asked_at IS NULL"),
    )
    op.drop_index(
        "ix_reports_email_hash",
        table_name="reports",
        sqlite_where=sa.text("email_hash IS NOT NULL"),
        postgresql_where=sa.text("email_hash IS NOT NULL"),
    )
    op.drop_index(
        "ix_reports_confirmed",
        table_name="reports",
        sqlite_where=sa.text("email IS NOT NULL AND email_confirmed_at IS NOT NULL"),
        postgresql_where=sa.text("email IS NOT NULL AND email_confirmed_at IS NOT NULL"),
    )
    op.drop_column("reports", "email_confirmed_at")
    op.drop_column("reports", "email_hash")
    op.drop_column("reports", "email_asked_at")

    op.drop_table("publication_versions")
    op.drop_index(
        "ix_publications_unannounced",
        table_name="publications",
        sqlite_where=sa.text("announced_at IS NULL"),
        postgresql_where=sa.text("announced_at IS NULL"),
    )
    op.drop_index("ix_publications_record", table_name="publications")
    op.drop_index("ix_publications_article", table_name="publications")

    op.drop_table("publications")
