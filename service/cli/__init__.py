"""The command line: one module per noun; every error is one line on standard error."""

import sys

import click

from service import errors
from service.cli import editors, serve, sites, tokens
from service.settings import BadSetting


@click.group()
@click.version_option(package_name="corrigenda")
def group() -> None:
    """Reader corrections for newsrooms."""


group.add_command(serve.serve)
group.add_command(serve.migrate)
group.add_command(sites.site)
group.add_command(editors.editor)
group.add_command(tokens.token)


def main() -> None:
    """Run a command; a refusal or a bad setting ends with one line and exit code 1."""
    try:
        group()
    except errors.Refusal as refusal:
        sys.exit(f"corrigenda: {refusal.detail}")
    except BadSetting as error:
        sys.exit(f"corrigenda: {error}")
