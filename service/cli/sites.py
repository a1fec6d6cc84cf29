"""`corrigenda site`: publications."""

import click

from service.accounts import sites
from service.audits import COMMAND_LINE
from service.cli.context import as_json, now, open_database, say
from service.errors import invalid


@click.group()
def site() -> None:
    """Publications: create, list, set."""


@site.command()
@click.argument("name")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    required=True,
    help="As in https://news.example; may be repeated.",
)
@as_json
def create(name: str, origins: tuple[str, ...], as_json: bool) -> None:
    """Make a site and print its key."""
    with open_database().write() as session:
        made = sites.create(session, name, origins, now=now())
    fields: dict[str, object] = {"key": made.key, "name": made.name, "origins": made.origins}
    say(f"Site {made.name}: its key is {made.key}", fields, as_json=as_json)


@site.command("list")
@as_json
def list_sites(as_json: bool) -> None:
    """List the sites."""
    with open_database().read() as session:
        for found in sites.every(session):
            fields: dict[str, object] = {
                "key": found.key,
                "name": found.name,
                "origins": found.origins,
            }
            say(f"{found.key}\t{found.name}\t{' '.join(found.origins)}", fields, as_json=as_json)


@site.command("set")
@click.argument("key")
@click.option("--name", help="The publication's name.")
@click.option("--origin", "origins", multiple=True, help="Replaces all origins; may be repeated.")
@click.option("--language", help="BCP 47; what readers get whose own language is missing.")
@click.option("--article-selector", help="CSS selector of the article's body.")
@click.option("--excerpt-limit", type=int, help="1 to 500 characters.")
@click.option("--privacy-url", help="Linked in the dialog.")
@click.option("--contact-url", help="Linked in the dialog.")
@as_json
def set_site(key: str, origins: tuple[str, ...], as_json: bool, **values: object) -> None:
    """Change some of a site's settings."""
    chosen = {name: value for name, value in values.items() if value is not None}
    if origins:
        chosen["origins"] = list(origins)
    if not chosen:
        raise invalid("", "Nothing to set; see: corrigenda site set --help")
    with open_database().write() as session:
        found = sites.find(session, key)
        sites.save(session, found, chosen, by=COMMAND_LINE, now=now())
    say(f"Site {key}: changed {', '.join(sorted(chosen))}", {"key": key, **chosen}, as_json=as_json)
