"""Bring a database's schema to the newest revision, and tell where it stands.

Alembic itself is imported only to migrate: serving processes start faster without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from service.db.engines import Database
from service.errors import Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def config(database: Database) -> "Config":
    """Alembic's configuration for this database; there is no alembic.ini."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option("path_separator", "os")
    made.attributes["database"] = database
    return made


def upgrade(database: Database, revision: str = "head") -> None:
    """Run every migration that is missing, in one transaction; raises Unavailable as below."""
    from alembic import command

    refuse_unknown(current(database))
    command.upgrade(config(database), revision)


def is_modelled(_thing: object, name: str | None, *_: object) -> bool:
    """Whether Alembic compares it with the models: the index of the search is made by hand."""
    return not (name or "").startswith("documents_index")


def head() -> str:
    """The newest revision this release knows: their files are numbered."""
    return max(_known())


def _known() -> set[str]:
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def refuse_unknown(revision: str | None) -> None:
    """Raise Unavailable where this release knows no such revision."""
    if revision is not None and revision not in _known():
        raise Unavailable(f"The database is at {revision}: it is of a newer release, or not ours.")


def current(database: Database) -> str | None:
    """The revision the database is at; None where there is no schema yet."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found
