import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError, StatementError

from service import errors
from service.accounts import sites
from service.db import Database, engines, migrate
from service.models import Site
from tests.conftest import ORIGIN


def test_instant_comes_back_in_utc(database: Database) -> None:
    kyiv = timezone(timedelta(hours=2))
    with database.write() as session:
        made = sites.create(
            session, "The Daily", [ORIGIN], now=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=kyiv)
        )
    with database.read() as session:
        found = session.scalars(select(Site.created_at)).one()
    assert found == datetime(2026, 1, 2, 1, 4, 5, 6, tzinfo=UTC)
    assert found.utcoffset() == timedelta(0)
    assert made.id.version == 7


def test_naive_instant_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 2)  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone"), database.write() as session:
        sites.create(session, "The Daily", [ORIGIN], now=naive)


def test_failed_statement_does_not_tell_what_it_was_given(database: Database) -> None:
    for engine in (database.engine, database.writer, database.grouped):
        with pytest.raises(SQLAlchemyError) as failed, engine.connect() as connection:
            connection.execute(
                text("SELECT nothing FROM nowhere WHERE email = :email"),
                {"email": "reader@mail.example"},
            )
        assert "reader@mail.example" not in str(failed.value)


def test_failed_block_leaves_nothing(database: Database, now: datetime) -> None:
    with pytest.raises(errors.NotFound), database.write() as session:
        sites.create(session, "The Daily", [ORIGIN], now=now)
        raise errors.NotFound
    with database.read() as session:
        assert session.scalars(select(Site)).all() == []


def test_other_program_that_closes_the_file_leaves_its_log(tmp_path: Path, now: datetime) -> None:
    """Whoever closes a database last deletes its log: a process that is there must be seen."""
    file = tmp_path / "corrigenda.db"
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database)
    # More connections than one: each that was opened once took the others' locks away.
    with database.read() as one, database.read() as other:
        assert [each.scalar(text("SELECT 1")) for each in (one, other)] == [1, 1]
    look = f"import sqlite3; c = sqlite3.connect({str(file)!r}); "
    look += "print(*c.execute('SELECT count(*) FROM sites').fetchone()); c.close()"
    counts = []
    for name in ("The Daily", "The Other"):
        with database.write() as session:
            sites.create(session, name, [ORIGIN], now=now)
        argv = [sys.executable, "-c", look]
        seen = subprocess.run(argv, check=True, capture_output=True, text=True)
        counts.append(seen.stdout.strip())
    assert counts == ["1", "2"]
    assert file.with_name("corrigenda.db-wal").exists()
    assert file.stat().st_mode & 0o777 == 0o600


def test_writers_lose_no_update(database: Database, now: datetime) -> None:
    with database.write() as session:
        site_id = sites.create(session, "The Daily", [ORIGIN], now=now).id
        session.execute(text("UPDATE sites SET excerpt_limit = 0"))

    def add(_: int) -> None:
        with database.write() as session:
            session.execute(text("UPDATE sites SET excerpt_limit = excerpt_limit + 1"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add, range(200)))
    with database.read() as session:
        assert session.get_one(Site, site_id).excerpt_limit == 200


def test_reader_is_not_held_up_by_a_writer(database: Database, site: Site) -> None:
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write() as session:
            session.execute(text("UPDATE sites SET name = 'changed'"))
            inside.set()
            done.wait(10)

    writer = threading.Thread(target=hold)
    writer.start()
    assert inside.wait(10)
    with database.read() as session:
        assert session.scalars(select(Site.name)).one() == "The Daily"
    done.set()
    writer.join()


def test_writer_is_told_to_come_back(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "LOCK_SECONDS", 0.05)
    database = Database(sqlite_url)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write():
            inside.set()
            done.wait(10)

    writer = threading.Thread(target=hold)
    writer.start()
    assert inside.wait(10)
    with pytest.raises(errors.Unavailable) as refusal, database.write():
        time.sleep(0)
    assert refusal.value.retry_after == 2
    done.set()
    writer.join()
    database.dispose()


def test_sqlite_is_durable_and_safe(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.dispose()


def test_old_sqlite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.sqlite_fault() is None
    monkeypatch.setattr(engines, "SAFE_SQLITE", (99, 0, 0))
    assert "99.0.0 and later" in str(engines.sqlite_fault())
