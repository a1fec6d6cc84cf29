"""What every command needs: settings, a database that is migrated, a way to print."""

import json
from datetime import UTC, datetime

import click
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service import settings as settings_module
from service.accounts import sites
from service.db import Database, migrate
from service.errors import Unavailable, invalid
from service.models import Site

of_site = click.option(
    "--site", "key", metavar="KEY", help="The site's key; not needed where there is one site only."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def open_database() -> Database:
    """The database of the settings; raises Unavailable where it is not reachable or migrated."""
    database = Database(settings_module.read().database_url)
    try:
        at = migrate.current(database)
    except DBAPIError as error:
        raise Unavailable(f"The database cannot be opened: {error.orig}") from None
    migrate.refuse_unknown(at)
    if at != migrate.head():
        raise Unavailable("The database is not migrated; run: corrigenda migrate")
    return database


def site_of(session: Session, key: str | None) -> Site:
    """The site with this key, or the only one; raises NotFound, InvalidFields."""
    if key is not None:
        return sites.find(session, key)
    known = sites.every(session)
    if len(known) > 1:
        raise invalid("/site", f"Say which with --site: {', '.join(site.key for site in known)}.")
    if not known:
        raise invalid("/site", "There is no site yet; make one with: corrigenda site create")
    return known[0]


def now() -> datetime:
    """This instant."""
    return datetime.now(UTC)


def say(text: str, fields: dict[str, object], *, as_json: bool) -> None:
    """Print a line for people, or the fields as one JSON object."""
    click.echo(json.dumps(fields) if as_json else text)
