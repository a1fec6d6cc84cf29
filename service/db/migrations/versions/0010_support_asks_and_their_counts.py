"""Support asks and their counts

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from service.db import UtcDateTime
from service.db.schema import Json

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("places", Json, nullable=False),
        sa.Column("sections", Json, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("languages", Json, nullable=False),
        sa.Column("after_articles", sa.Integer(), nullable=False),
        sa.Column("max_views", sa.Integer(), nullable=False),
        sa.Column("period_days", sa.Integer(), nullable=False),
        sa.Column("quiet_days", sa.Integer(), nullable=False),
        sa.Column("image_url", sa.String(length=2048), nullable=True),
        sa.Column("link_parameters", sa.String(length=500), nullable=False),
        sa.Column("variants", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_campaigns_site_id_sites"),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.UniqueConstraint("site_id", "key", name="uq_campaigns_site_id_key"),
    )
    op.create_table(
        "support_lines",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("appeal_to", sa.String(length=10), nullable=True),
        sa.Column("appeal_texts", Json, nullable=False),
        sa.Column("quote_from", sa.Integer(), nullable=True),
        sa.Column("quote_texts", Json, nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_support_lines_site_id_sites"),
        sa.PrimaryKeyConstraint("site_id", name="pk_support_lines"),
    )
    op.create_table(
        "support_counts",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("variant", sa.String(length=20), nullable=False),
        sa.Column(
            "place",
            sa.Enum(
                "block",
                "thanks",
                "bar",
                name="place",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "view",
                "click",
                "dismiss",
                "copy",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.CheckConstraint("total > 0", name="ck_support_counts_total"),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.id"],
            name="fk_support_counts_campaign_id_campaigns",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "day", "variant", "place", "kind", name="pk_support_counts"
        ),
    )


def downgrade() -> None:
    op.drop_table("support_counts")
    op.drop_table("support_lines")
    op.drop_table("campaigns")
