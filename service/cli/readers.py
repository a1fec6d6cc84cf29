"""`corrigenda reader`: what is kept with a reader's e-mail address."""

import json

import click

from service.accounts import sites
from service.audits import COMMAND_LINE
from service.cli.context import as_json, now, open_database, say
from service.record import readers

of_site = click.option("--site", "key", required=True, help="The site's key.")


@click.group()
def reader() -> None:
    """Readers by their e-mail address: export, erase."""


@reader.command()
@click.argument("email")
@of_site
def export(email: str, key: str) -> None:
    """Print all that is kept with the address, a JSON object a report."""
    with open_database().write() as session:
        site = sites.find(session, key)
        found = readers.hand_out(session, site.id, email, by=COMMAND_LINE, now=now())
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False))


@reader.command()
@click.argument("email")
@of_site
@as_json
def erase(email: str, key: str, as_json: bool) -> None:
    """Erase the address wherever it is kept, and drop letters to it; what was reported stays."""
    with open_database().write() as session:
        site = sites.find(session, key)
        count = readers.erase(session, site.id, email, by=COMMAND_LINE, now=now())
    say(f"Erased from {count} reports", {"reports": count}, as_json=as_json)
