"""PostgreSQL restarted, killed and gone for a while: 503 with a time to wait, then on without a restart."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.db import Database, migrate
from tests.conftest import ORIGIN, Say, missing
from tests.faults.load import Load, check_counters, kept, row
from tests.faults.test_disk_full import status
from tests.processes import environment, run_json
from tests.security.live import Logged
from tests.servers import MISSING_POSTGRESQL, PostgreSQL, wait_until


@pytest.fixture
def postgresql() -> Iterator[PostgreSQL]:
    if PostgreSQL.binaries() is None:
        missing(MISSING_POSTGRESQL)
    server = PostgreSQL()
    server.start()
    yield server
    server.remove()


def test_database_gone_is_told_and_forgotten_when_it_is_back(
    postgresql: PostgreSQL, tmp_path: Path, say: Say
) -> None:
    env = environment(tmp_path, DATABASE_URL=postgresql.url(), REPORT_LIMITS="1000000/minute")
    migrated = Database(postgresql.url())
    migrate.upgrade(migrated)
    migrated.dispose()
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    worst = 0.0
    modes = ["fast", "immediate"]
    with Logged(env) as server:
        load = Load(server.url, key)
        for mode in modes:
            with load:
                before = len(load.acknowledged)
                wait_until(
                    lambda before=before: len(load.acknowledged) > before + 5,
                    60,
                    "reports are taken",
                )
                postgresql.stop(mode)
                refused = len(load.refused)
                wait_until(
                    lambda refused=refused: len(load.refused) > refused + 3,
                    60,
                    "reports are refused",
                )
                assert status(f"{server.url}/readyz") == 503
                assert status(f"{server.url}/healthz") == 200
                postgresql.start()
                back = time.monotonic()
                wait_until(lambda back=back: load.answered_at > back, 60, "reports are taken again")
                worst = max(worst, load.answered_at - back)
            assert {(code, wait, kind) for code, wait, kind in load.refused} == {
                (503, "5", "/problems/unavailable")
            }
            assert load.broken == 0
            assert status(f"{server.url}/readyz") == 200
    database = Database(postgresql.url())
    # fsync is off in tests: what a crash of the machine would lose, a crash of the server does not.
    lost = load.acknowledged - kept(database)
    assert lost == set()
    check_counters(database)
    database.dispose()
    say(row(f"PostgreSQL stopped ({len(load.refused)} refused)", len(modes), len(lost), 0, worst))
