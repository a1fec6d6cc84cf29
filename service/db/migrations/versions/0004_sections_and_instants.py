"""Articles have a section, and corrections say since when they are decided, fixed and closed

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.addresses import section_of
from service.db import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ARTICLES = sa.table("articles", sa.column("id", sa.Uuid()), sa.column("url"), sa.column("section"))
INSTANTS = ("first_decided_at", "fixed_at", "closed_at")


def upgrade() -> None:
    op.add_column("articles", sa.Column("section", sa.String(length=100), nullable=True))
    op.add_column("articles", sa.Column("tags", JSON, server_default="[]", nullable=False))
    for name in INSTANTS:
        op.add_column("corrections", sa.Column(name, UtcDateTime(), nullable=True))
    found = op.get_bind().execute(sa.select(ARTICLES.c.id, ARTICLES.c.url)).all()
    sections = [{"article": row.id, "folder": section_of(row.url)} for row in found]
    if sections:
        op.get_bind().execute(
            sa.update(ARTICLES)
            .where(ARTICLES.c.id == sa.bindparam("article"))
            .values(section=sa.bindparam("folder")),
            sections,
        )
    last = "(SELECT {} FROM moves WHERE correction_id = corrections.id AND {})"
    first_decided_at = last.format("min(created_at)", "from_state = 'new'")
    fixed_at = last.format("max(created_at)", "to_state = 'fixed'")
    closed_at = last.format("max(created_at)", "from_state IN ('new', 'accepted')")
    op.execute(
        f"UPDATE corrections SET first_decided_at = {first_decided_at}, "
        f"fixed_at = CASE WHEN state = 'fixed' THEN {fixed_at} END, "
        f"closed_at = CASE WHEN state IN ('fixed', 'rejected', 'spam') THEN {closed_at} END"
    )


def downgrade() -> None:
    for name in reversed(INSTANTS):
        op.drop_column("corrections", name)
    op.drop_column("articles", "tags")
    op.drop_column("articles", "section")
