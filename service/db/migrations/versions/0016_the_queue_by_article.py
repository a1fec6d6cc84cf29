"""The queue by article, all spam in one tab, and a site's languages are found by an index

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SPAM = sa.text("state = 'spam'")


def upgrade() -> None:
    op.create_index(
        "ix_corrections_by_article",
        "corrections",
        ["site_id", "suspected", "state", "article_id", "id"],
    )
    op.create_index(
        "ix_corrections_spam",
        "corrections",
        ["site_id", "id"],
        sqlite_where=SPAM,
        postgresql_where=SPAM,
    )
    op.create_index("ix_articles_lang", "articles", ["site_id", "lang"])


def downgrade() -> None:
    op.drop_index("ix_articles_lang", table_name="articles")
    op.drop_index("ix_corrections_spam", table_name="corrections")
    op.drop_index("ix_corrections_by_article", table_name="corrections")
