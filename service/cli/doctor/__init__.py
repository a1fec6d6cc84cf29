"""`corrigenda doctor`: what is wrong with an installation, and what to do about it."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime

import click

from service import settings as settings_module
from service.cli.context import now
from service.cli.doctor import databases, reach, storage
from service.cli.doctor.findings import Finding, Level
from service.settings import BadSetting


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a finding.")
def doctor(as_json: bool) -> None:
    """Look for what goes wrong in practice, and say what to do; a fault gives exit code 1."""
    found = list(examine())
    for finding in found:
        click.echo(json.dumps(asdict(finding)) if as_json else _in_words(finding))
    sys.exit(any(finding.level is Level.FAULT for finding in found))


def _in_words(finding: Finding) -> str:
    line = f"{finding.level:8} {finding.about}: {finding.says}"
    return f"{line}\n{'':8} {finding.advice}" if finding.advice else line


def examine(clock: Callable[[], datetime] = now) -> Iterator[Finding]:
    """Everything that is looked at, in order; stops early where nothing else can be known."""
    try:
        settings = settings_module.read()
    except BadSetting as error:
        yield Finding(Level.FAULT, "settings", str(error), "Set it right: docs/settings.md.")
        return
    yield from storage.disk(settings)
    yield from storage.secrets(settings)
    yield from databases.database(settings, clock)
    yield from reach.limits(settings)
    yield from reach.public_url(settings)
    yield from reach.proxies(settings)
