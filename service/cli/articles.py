"""`corrigenda article`: texts for those without a CMS that pushes them."""

from dataclasses import asdict
from typing import BinaryIO

import click

from service.cli.context import as_json, now, of_site, open_database, say, site_of
from service.desk import revisions
from service.desk.revisions import NewText


@click.group()
def article() -> None:
    """Articles: push."""


@article.command()
@click.argument("url")
@click.option(
    "--file",
    "file",
    type=click.File("rb"),
    required=True,
    help="The page's HTML, or with the ending .txt its text; - reads standard input.",
)
@of_site
@click.option("--title", help="The article's title.")
@as_json
def push(url: str, file: BinaryIO, key: str | None, title: str | None, as_json: bool) -> None:
    """Keep an article's new text and find its corrections in it."""
    database = open_database()
    content = file.read().decode("utf-8-sig", "replace")
    with database.read() as session:
        site = site_of(session, key)
    is_text = str(getattr(file, "name", "")).endswith(".txt")
    text = content if is_text else revisions.text_of(content, site)
    with database.write() as session:
        new = NewText(url, revisions.plain(text), title)
        pushed = revisions.push(session, site, new, now=now())
    fields: dict[str, object] = {
        **asdict(pushed),
        "fixed": [str(each) for each in pushed.fixed],
        "reopened": [str(each) for each in pushed.reopened],
    }
    say(
        f"Revision {pushed.revision}: {pushed.kept} kept, {pushed.moved} moved, "
        f"{pushed.changed} changed, {pushed.orphaned} orphaned, {len(pushed.fixed)} fixed, "
        f"{len(pushed.reopened)} reopened",
        fields,
        as_json=as_json,
    )
