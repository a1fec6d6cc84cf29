from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.db import Base, Database, migrate


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
