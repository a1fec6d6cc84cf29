"""`kill -9` of a seed that has put indexes and triggers aside: all of them are there again."""

import os
import subprocess
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy import text as sql

from service.db import Database
from service.models import Article, Correction, Site
from tests.faults.load import check_counters
from tests.processes import COMMAND, environment
from tests.reporting import report
from tests.schema import schema
from tests.servers import PATIENCE, wait_until

FULL = 160 * 2**20
"""Bytes of memory that the seed has with its first batches, and not before."""
LOCKED = sql(
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
    "WHERE datname = current_database() AND relation = 'moves'::regclass "
    "AND mode = 'RowExclusiveLock'"
)


def is_in_batches(database: Database, pid: int) -> bool:
    """Whether the seed has written, by its pages in memory or by what PostgreSQL has locked."""
    if database.is_sqlite:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") > FULL
    with database.read() as session:
        return session.scalar(LOCKED) == 1


def test_seed_that_is_killed_leaves_all_as_it_was(
    database: Database, database_url: str, site: Site, now: datetime, tmp_path: Path
) -> None:
    report(database, site, now)
    before = schema(database)
    seed = subprocess.Popen(
        [COMMAND, "seed", "--site", site.key, "--corrections", "200000"],
        env=environment(tmp_path, DATABASE_URL=database_url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: is_in_batches(database, seed.pid), PATIENCE, "a batch is written")
    os.killpg(seed.pid, 9)
    seed.wait(10)
    if not database.is_sqlite:
        wait_until(lambda: not is_in_batches(database, seed.pid), PATIENCE, "it is undone")
    assert schema(database) == before
    report(database, site, now, exact="thier", start=40)
    with database.read() as session:
        counted = [
            session.scalar(select(func.count()).select_from(each)) for each in (Article, Correction)
        ]
    assert counted == [1, 2]
    check_counters(database)
