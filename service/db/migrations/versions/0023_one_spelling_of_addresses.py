"""Articles' addresses and sites' origins have one spelling: percent-encoded, hosts in ASCII

Revision ID: 0023
Revises: 0022
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.addresses import BadAddress, canonical, origin
from service.text import normalise

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BATCH = 1_000
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
UUID = sa.Uuid()
ARTICLES = sa.table(
    "articles", sa.column("id", UUID), sa.column("site_id", UUID), sa.column("url", sa.String())
)
CORRECTIONS = sa.table("corrections", sa.column("id", UUID), sa.column("article_id", UUID))
DOCUMENTS = sa.table(
    "documents",
    sa.column("correction_id", UUID),
    sa.column("report_id", UUID),
    sa.column("text", sa.Text()),
)
SITES = sa.table("sites", sa.column("id", UUID), sa.column("origins", JSON))


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(SITES.c.id, SITES.c.origins)).all():
        spelt = list(dict.fromkeys(map(_origin, row.origins)))
        if spelt != row.origins:
            connection.execute(sa.update(SITES).where(SITES.c.id == row.id).values(origins=spelt))
    for row in _articles(connection):
        with suppress(BadAddress):
            if (url := canonical(row.url)) != row.url:
                _rewrite(connection, row, url)
    # Last: on PostgreSQL it locks the whole table until the commit.
    op.drop_index("ix_corrections_passage", table_name="corrections", if_exists=True)


def downgrade() -> None:
    """Nothing: the earlier release takes this spelling too."""


def _origin(known: str) -> str:
    try:
        return origin(known)
    except BadAddress:
        return known


def _articles(connection: sa.Connection) -> Iterator[Any]:
    found = sa.select(*ARTICLES.c).order_by(ARTICLES.c.id).limit(BATCH)
    rows = connection.execute(found).all()
    while rows:
        yield from rows
        rows = connection.execute(found.where(ARTICLES.c.id > rows[-1].id)).all()


def _rewrite(connection: sa.Connection, row: Any, url: str) -> None:
    """Spell an article's address so, where no other article of the site has it."""
    other = ARTICLES.alias()
    is_taken = sa.exists().where(other.c.site_id == row.site_id, other.c.url == url)
    changed = connection.execute(
        sa.update(ARTICLES).where(ARTICLES.c.id == row.id, ~is_taken).values(url=url)
    )
    words = normalise(url)
    if changed.rowcount and words != normalise(row.url):
        of_article = sa.select(CORRECTIONS.c.id).where(CORRECTIONS.c.article_id == row.id)
        connection.execute(
            sa.update(DOCUMENTS)
            .where(DOCUMENTS.c.report_id.is_(None), DOCUMENTS.c.correction_id.in_(of_article))
            .values(text=DOCUMENTS.c.text + f"\n{words}")
        )
