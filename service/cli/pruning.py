"""`corrigenda prune`: erase what is kept of readers, once it has been kept long enough."""

import click

from service.accounts import links
from service.cli.context import as_json, now, open_database, say
from service.db import Database
from service.intake import pruning
from service.record import answers


@click.command()
@as_json
def prune(as_json: bool) -> None:
    """Erase e-mails and hashed networks by each site's retention, as the worker does all day."""
    database = open_database()
    fields: dict[str, object] = {
        "emails": _emails(database),
        "networks": pruning.prune(database, now=now()),
        "links": links.prune(database, now=now()),
    }
    say(
        f"Erased: {fields['emails']} e-mail addresses and what counted their letters, "
        f"{fields['networks']} networks, keys and spent challenges, "
        f"{fields['links']} links that had ended",
        fields,
        as_json=as_json,
    )


def _emails(database: Database) -> int:
    at, erased = now(), 0
    while True:
        with database.read() as session:
            old = answers.outdated(session, now=at)
        if not old:
            return erased
        with database.write() as session:
            answers.erase(session, old, now=at)
        erased += len(old)
