from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service import models
from service.db import Database, migrate


def test_head_is_alembics(database: Database) -> None:
    assert (
        migrate.head() == ScriptDirectory.from_config(migrate.config(database)).get_current_head()
    )
    assert migrate.current(database) == migrate.head()


def test_migrations_make_exactly_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models.Base.metadata) == []
