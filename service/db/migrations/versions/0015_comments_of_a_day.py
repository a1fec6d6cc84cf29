"""Reports with the same comment are found without looking at all reports of the day

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

WITH_COMMENT = sa.text("comment_hash IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_reports_comments",
        "reports",
        ["site_id", "comment_hash", "created_at"],
        sqlite_where=WITH_COMMENT,
        postgresql_where=WITH_COMMENT,
    )
    op.drop_index("ix_reports_comment", "reports")
