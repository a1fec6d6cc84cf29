"""Another program holds SQLite's write lock: reads go on, writes are told when to come back, none is lost."""

import time
from contextlib import closing
from pathlib import Path

from service.db import Database
from service.db.engines import sqlite_driver
from tests.conftest import ORIGIN, Say
from tests.faults.load import Load, check_counters, check_integrity, kept, row
from tests.faults.test_disk_full import status
from tests.processes import Serving, environment, run_json
from tests.servers import wait_until


def test_locked_database_is_told_and_forgotten_when_it_is_free(
    sqlite_url: str, tmp_path: Path, say: Say
) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url, REPORT_LIMITS="1000000/minute")
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    file = sqlite_url.removeprefix("sqlite:///")
    with Serving(env) as server, closing(sqlite_driver().connect(file)) as other:
        other.isolation_level = None
        load = Load(server.url, key, threads=3)
        with load:
            wait_until(lambda: len(load.acknowledged) >= 5, 60, "reports are taken")
            other.execute("BEGIN IMMEDIATE")
            wait_until(lambda: len(load.refused) >= 3, 60, "reports are refused")
            assert status(f"{server.url}/api/v1/sites/{key}/widget") == 200
            assert status(f"{server.url}/healthz") == 200
            other.execute("ROLLBACK")
            freed = time.monotonic()
            wait_until(lambda: load.answered_at > freed, 60, "reports are taken again")
            recovered = load.answered_at - freed
        assert {(code, kind) for code, _, kind in load.refused} == {(503, "/problems/unavailable")}
        assert {wait for _, wait, _ in load.refused} <= {"2", "5"}
        assert load.broken == 0
        assert status(f"{server.url}/readyz") == 200
    database = Database(sqlite_url)
    lost = load.acknowledged - kept(database)
    assert lost == set()
    check_counters(database)
    check_integrity(database)
    database.dispose()
    say(row(f"SQLite locked ({len(load.refused)} refused)", 1, len(lost), 0, recovered))
