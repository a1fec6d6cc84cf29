"""Two upgrades at once, and a kill in the middle of one: the schema is whole or not there."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from service.db import Base, Database, migrate
from service.db.engines import LOCK_SECONDS, STATEMENT_SECONDS
from tests.conftest import Say, make_database
from tests.faults.load import row, store_of
from tests.processes import COMMAND, environment, run
from tests.servers import PATIENCE

RACERS = 3
KILLS = int(os.environ.get("CORRIGENDA_TEST_KILLS", "3"))


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
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": migrate.is_modelled}
        )
        return compare_metadata(context, Base.metadata) == []


def test_racing_upgrades_make_one_schema(empty_url: str, tmp_path: Path, say: Say) -> None:
    env = environment(tmp_path, DATABASE_URL=empty_url)
    began = time.monotonic()
    racers = [start(env) for _ in range(RACERS)]
    assert [racer.wait(PATIENCE) for racer in racers] == [0] * RACERS
    seconds = time.monotonic() - began
    database = Database(empty_url)
    assert migrate.current(database) == migrate.head()
    assert is_whole(database)
    database.dispose()
    say(row(f"{RACERS} instances migrate at once, {store_of(database)}", 1, 0, 0, seconds))


def test_upgrade_waits_for_one_that_takes_long(empty_url: str, tmp_path: Path, say: Say) -> None:
    """Longer than any request may wait for the database."""
    database = Database(empty_url)
    seconds = LOCK_SECONDS + 1 if database.is_sqlite else STATEMENT_SECONDS + 1
    with database.engine.connect() as first:
        if database.is_sqlite:
            first.exec_driver_sql("ROLLBACK")
            first.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            first.exec_driver_sql(f"SELECT pg_advisory_lock({0x636F7272})")
        second = start(environment(tmp_path, DATABASE_URL=empty_url))
        time.sleep(seconds)
        assert second.poll() is None
        freed = time.monotonic()
    database.dispose()
    assert second.wait(PATIENCE) == 0
    say(
        row(
            f"upgrade held up for {seconds:.0f} s, {store_of(database)}",
            1,
            0,
            0,
            time.monotonic() - freed,
        )
    )
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
    states, slowest = [], 0.0
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
        again = time.monotonic()
        assert run(["migrate"], env).returncode == 0
        slowest = max(slowest, time.monotonic() - again)
        assert is_whole(database)
        database.dispose()
    fault = f"migration killed, {store_of(database)} ({states.count(None)} before its commit)"
    say(row(fault, KILLS, 0, 0, slowest))
