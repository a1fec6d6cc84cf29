"""A newsroom moves from SQLite to PostgreSQL: everything comes along, and goes on."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from service.db import Database
from service.desk import tallies
from service.models import Correction, Site
from tests.conftest import ORIGIN
from tests.faults.load import Load, check_counters, kept
from tests.processes import Serving, environment, run, run_json
from tests.servers import wait_until


@pytest.fixture
def newsroom(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a newsroom with some history, on SQLite."""
    env = environment(tmp_path, DATABASE_URL=sqlite_url, REPORT_LIMITS="1000000/minute")
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    seeded = run(["seed", "--site", key, "--corrections", "60", "--days", "3"], env)
    assert seeded.returncode == 0, seeded.stderr
    with Serving(env) as server, Load(server.url, key, threads=1) as load:
        wait_until(lambda: len(load.acknowledged) > 3, 60, "reports are taken")
    return {**env, "KEY": key}


def copy(env: dict[str, str], target: str) -> Any:
    return run(["copy-database", env["CORRIGENDA_DATABASE_URL"], target], env)


def standing(database: Database) -> tuple[dict[str, int], set[str], list[Any]]:
    with database.read() as session:
        site = session.scalars(select(Site)).one()
        corrections = session.execute(select(Correction.__table__).order_by(Correction.id)).all()
        return tallies.of_site(session, site.id).counts, kept(database), list(corrections)


def test_copy_has_all_and_takes_reports(newsroom: dict[str, str], postgresql_url: str) -> None:
    old, new = Database(newsroom["CORRIGENDA_DATABASE_URL"]), Database(postgresql_url)
    done = run_json(["copy-database", str(old.engine.url), postgresql_url], newsroom)
    before = standing(old)
    assert standing(new) == before
    assert done["tables"]["reports"]["rows"] == len(before[1])
    assert done["tables"]["corrections"]["rows"] == len(before[2])
    large = {**newsroom, "CORRIGENDA_DATABASE_URL": postgresql_url}
    with Serving(large) as server, Load(server.url, newsroom["KEY"], threads=1) as load:
        wait_until(lambda: len(load.acknowledged) > 3, 60, "the copy takes reports")
    assert load.refused == []
    assert kept(new) >= load.acknowledged | before[1]
    check_counters(new)
    for database in (old, new):
        database.dispose()


def test_target_that_has_rows_is_left_alone(newsroom: dict[str, str], postgresql_url: str) -> None:
    assert copy(newsroom, postgresql_url).returncode == 0
    again = copy(newsroom, postgresql_url)
    assert again.returncode == 1
    [line] = [line for line in again.stderr.splitlines() if line.startswith("corrigenda:")]
    assert line.startswith("corrigenda: The target is not empty: ")


def test_what_the_target_cannot_hold_leaves_it_empty(
    newsroom: dict[str, str], postgresql_url: str
) -> None:
    old, new = Database(newsroom["CORRIGENDA_DATABASE_URL"]), Database(postgresql_url)
    with old.write() as session:
        # SQLite keeps any length.
        session.execute(update(Site).values(name="N" * 5_000))
    done = copy(newsroom, postgresql_url)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("corrigenda: Nothing was copied: value too long")
    assert "Traceback" not in done.stderr
    with new.read() as session:
        assert session.scalars(select(Site)).all() == []
        triggers = text("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert session.scalar(triggers) == 0
    for database in (old, new):
        database.dispose()


def test_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "mistyped.db"
    target = "postgresql://nobody@127.0.0.1:1/none"
    done = run(["copy-database", f"sqlite:///{file}", target], environment(tmp_path))
    assert (done.returncode, done.stderr) == (1, f"corrigenda: There is no database at {file}.\n")
    assert not file.exists()


@pytest.mark.parametrize(
    ("source", "target"),
    [("sqlite:///a.db", "sqlite:///b.db"), ("nonsense", "postgresql://x/y")],
)
def test_other_ways_are_refused_in_one_line(
    source: str, target: str, sqlite_url: str, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    done = run(["copy-database", source, target], env)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "pg_dump" in done.stderr
