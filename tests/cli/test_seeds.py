from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from service.accounts import sites
from service.cli import group, seeds
from service.db import Database
from service.models import Article, Correction


def test_seed_fills_the_site_and_stays_out_of_the_help(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str
) -> None:
    monkeypatch.setenv("CORRIGENDA_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CORRIGENDA_DATA_DIR", str(tmp_path))
    database = Database(sqlite_url)
    with database.write() as session:
        site = sites.create(session, "The Daily", ["https://news.example"], now=datetime.now(UTC))
    answer = CliRunner().invoke(
        seeds.seed,
        ["--site", site.key, "--corrections", "120", "--until", "2026-02-01"],
        catch_exceptions=False,
    )
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Correction)) == 120
        folders = {url.split("/")[3] for url in session.scalars(select(Article.url))}
        assert set(session.scalars(select(Article.section))) == folders
    assert answer.exit_code == 0
    assert "rows/s" in answer.stdout
    assert "seed" not in CliRunner().invoke(group, ["--help"]).stdout.split()
    database.dispose()
