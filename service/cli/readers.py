"""`corrigenda reader`: what is kept with a reader's e-mail address."""

import json

import click

from service.audits import COMMAND_LINE
from service.cli.context import as_json, now, of_site, open_database, say, site_of
from service.record import readers


@click.group()
def reader() -> None:
    """Readers by their e-mail address: export, erase."""


@reader.command()
@click.argument("email")
@of_site
def export(email: str, key: str | None) -> None:
    """Print all that is kept with the address, a JSON object a report."""
    with open_database().write() as session:
        site = site_of(session, key)
        found = readers.hand_out(session, site.id, email, by=COMMAND_LINE, now=now())
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False))


@reader.command()
@click.argument("email")
@of_site
@as_json
def erase(email: str, key: str | None, as_json: bool) -> None:
    """Erase the address wherever it is kept, and drop letters to it; what was reported stays."""
    with open_database().write() as session:
        site = site_of(session, key)
        count = readers.erase(session, site.id, email, by=COMMAND_LINE, now=now())
    say(f"Erased from {count} reports", {"reports": count}, as_json=as_json)
