"""`corrigenda token`: keys for scripts and content systems."""

from uuid import UUID

import click

from service.accounts import tokens
from service.cli.context import as_json, now, of_site, open_database, say, site_of


@click.group()
def token() -> None:
    """API tokens: create, list, revoke."""


@token.command()
@of_site
@click.option(
    "--scope",
    "scopes",
    default="read",
    show_default=True,
    help="Some of read,review,publish,admin.",
)
@click.option("--name", default="", help="How the history names it.")
@as_json
def create(key: str | None, scopes: str, name: str, as_json: bool) -> None:
    """Make a token and print it, this once."""
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    with open_database().write() as session:
        made, secret = tokens.create(session, site_of(session, key), wanted, name=name, now=now())
    fields: dict[str, object] = {"id": str(made.id), "token": secret, "scopes": made.scopes}
    say(f"Token {made.id} ({', '.join(made.scopes)}): {secret}", fields, as_json=as_json)


@token.command("list")
@of_site
@as_json
def list_tokens(key: str | None, as_json: bool) -> None:
    """List a site's tokens, never their secrets."""
    with open_database().read() as session:
        for found in tokens.of_site(session, site_of(session, key)):
            state = "revoked" if found.revoked_at else "in use"
            used = found.used_at.isoformat() if found.used_at else None
            fields: dict[str, object] = {
                "id": str(found.id),
                "name": found.name,
                "scopes": found.scopes,
                "state": state,
                "used_at": used,
            }
            say(
                "\t".join(
                    (str(found.id), found.name, ",".join(found.scopes), state, used or "never used")
                ),
                fields,
                as_json=as_json,
            )


@token.command()
@click.argument("token_id", type=click.UUID)
def revoke(token_id: UUID) -> None:
    """End a token at once."""
    with open_database().write() as session:
        tokens.revoke(session, token_id, now=now())
    click.echo(f"Token {token_id}: revoked")
