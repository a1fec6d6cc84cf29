"""`corrigenda editor`: people who sign in."""

import sys

import click

from service.accounts import editors
from service.cli.context import as_json, now, of_site, open_database, say, site_of
from service.models import Role


@click.group()
def editor() -> None:
    """Editors: create, password, disable."""


@editor.command()
@click.argument("email")
@of_site
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="editor", show_default=True
)
@as_json
def create(email: str, key: str | None, role: str, as_json: bool) -> None:
    """Make an editor; the password is asked, or read from standard input."""
    database = open_database()
    password = _password()
    with database.write() as session:
        site = site_of(session, key)
        made = editors.create(session, email, password, site, Role(role), now=now())
    fields: dict[str, object] = {
        "id": str(made.id),
        "email": made.email,
        "role": role,
        "site": site.key,
    }
    say(f"Editor {made.email}: {role} of {site.key}", fields, as_json=as_json)


@editor.command("password")
@click.argument("email")
def set_password(email: str) -> None:
    """Set another password and end all sessions."""
    database = open_database()
    password = _password()
    with database.write() as session:
        editors.set_password(session, email, password, now=now())
    click.echo(f"Editor {email}: the password is changed, all sessions are ended")


@editor.command()
@click.argument("email")
def disable(email: str) -> None:
    """Shut an editor out at once."""
    with open_database().write() as session:
        editors.disable(session, email, now=now())
    click.echo(f"Editor {email}: disabled, all sessions are ended")


def _password() -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\r\n")
