"""Ways in: links that work once, a second step; and a log of what admins do

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.db import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column(
            "before",
            JSON,
            nullable=False,
        ),
        sa.Column(
            "after",
            JSON,
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_audits_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )
    op.create_index("ix_audits_site_id_id", "audits", ["site_id", "id"], unique=False)
    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invitation",
                "password",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "editor", "admin", name="role", native_enum=False, create_constraint=True, length=20
            ),
            nullable=True,
        ),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_links_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_links_token_hash")),
    )
    op.create_index("ix_links_site_id", "links", ["site_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("editor_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editors.id"], name=op.f("fk_recovery_codes_editor_id_editors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_editor_id", "recovery_codes", ["editor_id"], unique=False)
    op.add_column("editors", sa.Column("two_step_seed", sa.String(length=64), nullable=True))
    op.add_column("editors", sa.Column("two_step_since", UtcDateTime(), nullable=True))
    op.add_column("editors", sa.Column("two_step_spent", sa.Integer(), nullable=True))
    op.add_column(
        "sessions", sa.Column("agent", sa.String(length=60), server_default="", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("sessions", "agent")
    op.drop_column("editors", "two_step_spent")
    op.drop_column("editors", "two_step_since")
    op.drop_column("editors", "two_step_seed")
    op.drop_table("recovery_codes")
    op.drop_table("links")
    op.drop_table("audits")
