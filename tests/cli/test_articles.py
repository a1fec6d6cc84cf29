import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from service.accounts import sites
from service.cli import articles
from service.db import Database
from service.errors import InvalidFields, NotFound, Refusal
from service.models import Revision, Site
from tests.reporting import report

TEXT = "Passengers will {} the night service at no additional cost, the operator said."
PAGE = "<nav>Home</nav><article><p>{}</p></article>"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def site(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Site:
    monkeypatch.setenv("CORRIGENDA_DATABASE_URL", database_url)
    monkeypatch.setenv("CORRIGENDA_DATA_DIR", str(tmp_path))
    with database.write() as session:
        return sites.create(session, "The Daily", ["https://news.example"], now=datetime.now(UTC))


def push(*arguments: str, given: bytes | None = None) -> Any:
    answer = CliRunner().invoke(
        articles.article, ["push", *arguments], input=given, catch_exceptions=False
    )
    assert answer.exit_code == 0
    return answer.output


def test_pushed_file_fixes_what_is_corrected_in_it(
    database: Database, site: Site, tmp_path: Path
) -> None:
    at = TEXT.index("{}")
    correction_id = report(
        database, site, datetime.now(UTC), exact="recieve", suggestion="receive", start=at,
        prefix=TEXT[:at], suffix=TEXT[at + 2 : at + 66],
    )  # fmt: skip
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(TEXT.format("recieve")))
    arguments = ("https://news.example/a", "--site", site.key, "--file")
    assert push(*arguments, str(page)) == (
        "Revision 1: 1 kept, 0 moved, 0 changed, 0 orphaned, 0 fixed, 0 reopened\n"
    )
    plain = tmp_path / "page.txt"
    plain.write_text(TEXT.format("receive") + "\n")
    told = json.loads(push(*arguments, str(plain), "--json"))
    assert (told["revision"], told["fixed"]) == (2, [str(correction_id)])
    page.write_text(PAGE.format(TEXT.format("receive")))
    assert "Revision 2" in push(*arguments, "-", given=page.read_bytes())


def test_unknown_site_and_foreign_address_are_refused(site: Site, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>a</p>")
    with pytest.raises(NotFound):
        push("https://news.example/a", "--site", "none", "--file", str(page))
    with pytest.raises(InvalidFields):
        push("https://foreign.example/a", "--site", site.key, "--file", str(page))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("page.html", "<p>Café</p>".encode("latin-1"), "page.html is not UTF-8."),
        ("page.html", b"", "page.html has no text."),
        ("page.html", b"<p> </p>", "page.html has no text."),
        ("page.txt", b"\n", "page.txt has no text."),
        ("page.txt", b"a" * (2 * 1024 * 1024 + 1), "page.txt is over 2 MiB."),
    ],
)
def test_file_that_is_no_article_is_refused(
    database: Database, site: Site, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    page = tmp_path / name
    page.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        push("https://news.example/a", "--site", site.key, "--file", str(page))
    assert str(refused.value) == f"{tmp_path}/{told}"
    with database.read() as session:
        assert session.scalars(select(Revision)).all() == []


def test_title_is_as_long_as_the_api_takes(site: Site, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>a</p>")
    arguments = ("https://news.example/a", "--site", site.key, "--file", str(page), "--title")
    assert push(*arguments, "T" * 500).startswith("Revision 1: ")
    with pytest.raises(InvalidFields) as refused:
        push(*arguments, "T" * 501)
    assert str(refused.value) == "A title has at most 500 characters."


def test_ending_counts_in_capitals_too(database: Database, site: Site, tmp_path: Path) -> None:
    page = tmp_path / "A.TXT"
    page.write_text("a <b> c")
    push("https://news.example/a", "--site", site.key, "--file", str(page))
    with database.read() as session:
        assert session.scalars(select(Revision.text)).all() == ["a <b> c"]
