"""`corrigenda article`: texts for those without a CMS that pushes them."""

from dataclasses import asdict
from typing import BinaryIO

import click

from service.cli.context import as_json, now, of_site, open_database, say, site_of
from service.desk import revisions
from service.desk.revisions import NewText
from service.errors import TooLarge, invalid
from service.models import TITLE_LIMIT
from service.web.bodies import ARTICLE_LIMIT


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
    if title is not None and len(title) > TITLE_LIMIT:
        raise invalid("/title", f"A title has at most {TITLE_LIMIT} characters.")
    database = open_database()
    content = _content(file)
    with database.read() as session:
        site = site_of(session, key)
    text = revisions.plain(
        content if _name(file).casefold().endswith(".txt") else revisions.text_of(content, site)
    )
    if not text:
        raise invalid("/text", f"{_name(file)} has no text.")
    with database.write() as session:
        new = NewText(url, text, title)
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


def _content(file: BinaryIO) -> str:
    content = file.read(ARTICLE_LIMIT + 1)
    if len(content) > ARTICLE_LIMIT:
        raise TooLarge(f"{_name(file)} is over {ARTICLE_LIMIT >> 20} MiB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # With other signs in its place no correction would be found again.
        raise invalid("/text", f"{_name(file)} is not UTF-8.") from None


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "Standard input"))
