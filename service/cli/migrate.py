"""`corrigenda migrate`."""

import click
from sqlalchemy.exc import DBAPIError

from service import settings as settings_module
from service.db import Database
from service.db import migrate as migrations
from service.errors import Unavailable


@click.command()
def migrate() -> None:
    """Bring the database's schema up to this release."""
    database = Database(settings_module.read().database_url)
    try:
        before = migrations.current(database)
        migrations.upgrade(database)
        after = migrations.current(database)
    except DBAPIError as error:
        raise Unavailable(f"The database cannot be migrated: {error.orig}") from None
    change = "" if after == before else f" (was {before or 'empty'})"
    click.echo(f"The database is at {after}{change}")
