"""Bring a database's schema to the newest revision, and tell where it stands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.db.engines import Database


def config(database: Database) -> Config:
    """Alembic's configuration for this database; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    made.attributes["database"] = database
    return made


def upgrade(database: Database, revision: str = "head") -> None:
    """Run every migration that is missing, in one transaction."""
    command.upgrade(config(database), revision)


def head() -> str | None:
    """The newest revision this release knows."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(made).get_current_head()


def current(database: Database) -> str | None:
    """The revision the database is at; None where there is no schema yet."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
