from datetime import datetime

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, select, update

from service.db import Base, Database, migrate
from service.models import Article, Document, Site
from tests.conftest import ORIGIN, make_database
from tests.reporting import report


def test_head_is_alembics(database: Database) -> None:
    assert (
        migrate.head() == ScriptDirectory.from_config(migrate.config(database)).get_current_head()
    )
    assert migrate.current(database) == migrate.head()


def test_migrations_make_exactly_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": migrate.is_modelled}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_addresses_are_rewritten_to_one_spelling(
    database: Database, site: Site, now: datetime
) -> None:
    """Where another article has that one, or an earlier one came to it, they stay."""
    known = {"а": "%D0%B0", "б": "б", "%D0%B1": "%D0%B1", "%d0%b2": "%D0%B2", "в": "в", "g": "g"}
    for old in known:
        report(database, site, now, source=f"{ORIGIN}/placeholder-{old.encode().hex()}")
        with database.write() as session:
            newest = select(Article.id).order_by(Article.id.desc()).limit(1).scalar_subquery()
            session.execute(
                update(Article).where(Article.id == newest).values(url=f"{ORIGIN}/{old}")
            )
    with database.write() as session:
        session.execute(update(Site).values(origins=[ORIGIN, "https://новини.укр"]))
    command.stamp(migrate.config(database), "0022")
    migrate.upgrade(database, "0023")
    command.stamp(migrate.config(database), "head")
    with database.read() as session:
        urls = session.scalars(select(Article.url).order_by(Article.id)).all()
        origins = session.scalars(select(Site.origins)).one()
        own = select(Document.text).order_by(Document.id).limit(1)
        found = session.scalar(own)
    assert urls == [f"{ORIGIN}/{new}" for new in known.values()]
    assert origins == [ORIGIN, "https://xn--b1amarcd.xn--j1amh"]
    assert found is not None
    assert found.endswith(f"{ORIGIN}/%d0%b0")


def test_corrections_are_read_while_addresses_are_rewritten(postgresql_server: str) -> None:
    url = make_database(postgresql_server)
    database = Database(url)
    migrate.upgrade(database, "0021")
    found = list[int]()

    @event.listens_for(database.writer, "before_cursor_execute")
    def read(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM articles" in statement:
            with psycopg.connect(url) as other:
                other.execute("SET lock_timeout = '1s'")
                found.extend(other.execute("SELECT count(*) FROM corrections").fetchone() or ())

    migrate.upgrade(database)
    assert found == [0]
    database.dispose()
