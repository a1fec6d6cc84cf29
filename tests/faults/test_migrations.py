"""Two upgrades at once, and a kill in the middle of one: the schema is whole or not there."""

import random
import subprocess
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from service import models
from service.db import Database, migrate
from tests.conftest import Say, make_database
from tests.processes import COMMAND, environment, run

RACERS = 4
KILLS = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return make_database(request.getfixturevalue("postgresql_server"))


def start(env: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [COMMAND, "migrate"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def is_whole(database: Database) -> bool:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, models.Base.metadata) == []


def test_racing_upgrades_make_one_schema(empty_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=empty_url)
    racers = [start(env) for _ in range(RACERS)]
    assert [racer.wait(60) for racer in racers] == [0] * RACERS
    database = Database(empty_url)
    assert migrate.current(database) == migrate.head()
    assert is_whole(database)
    database.dispose()


def test_upgrade_killed_half_way_is_done_by_the_next(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    empty_url: str,
    say: Say,
) -> None:
    is_sqlite = empty_url.startswith("sqlite")
    began = time.perf_counter()
    assert run(["migrate"], environment(tmp_path, DATABASE_URL=empty_url)).returncode == 0
    whole = time.perf_counter() - began
    states = []
    chance = random.Random(1)
    for number in range(KILLS):
        url = (
            f"sqlite:///{tmp_path / f'{number}.db'}"
            if is_sqlite
            else make_database(request.getfixturevalue("postgresql_server"))
        )
        env = environment(tmp_path, DATABASE_URL=url)
        racer = start(env)
        # The second half of the run is where the schema is built; the first is Python starting.
        time.sleep(whole * chance.uniform(0.3, 1.0))
        racer.kill()
        racer.wait(10)
        database = Database(url)
        states.append(migrate.current(database))
        assert states[-1] in {None, migrate.head()}
        assert run(["migrate"], env).returncode == 0
        assert is_whole(database)
        database.dispose()
    interrupted = states.count(None)
    say(
        f"migration killed, {'SQLite' if is_sqlite else 'PostgreSQL'}: {KILLS} times, {interrupted} before its commit, 0 left half-way"
    )
