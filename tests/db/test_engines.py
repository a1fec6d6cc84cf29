import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import InternalError, SQLAlchemyError, StatementError

from service import errors
from service.accounts import sites
from service.db import Database, engines, migrate, takes_turn
from service.db.loading import loading
from service.models import Site
from tests.conftest import ORIGIN, make_database


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


def test_transaction_that_was_left_lets_go_of_its_turn(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a worker's machine loses its power between two statements."""
    monkeypatch.setattr(engines, "IDLE_SECONDS", 0.1)
    database = Database(postgresql_url)
    with pytest.raises(InternalError, match="idle"), database.write() as left:
        assert takes_turn(left, 1)
        with database.write() as other:
            assert not takes_turn(other, 1)
        time.sleep(0.5)
        with database.write() as other:
            assert takes_turn(other, 1)
        left.execute(text("SELECT 1"))
    database.dispose()


def test_loading_and_migrating_may_rest(
    postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "IDLE_SECONDS", 0.1)
    database = Database(make_database(postgresql_server))
    rests = [0.5]

    @event.listens_for(database.writer, "before_cursor_execute")
    def rest(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE sites" in statement:
            time.sleep(rests.pop())

    migrate.upgrade(database)
    assert rests == []
    with database.write() as session, loading(session.connection(), ["sites"], remakes=False):
        time.sleep(0.5)
    assert migrate.current(database) == migrate.head()
    database.dispose()


def test_machine_of_the_database_that_is_gone_is_noticed(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    for engine in (database.engine, database.grouped):
        with engine.connect() as connection:
            descriptor = os.dup(connection.connection.driver_connection.fileno())
            with socket.socket(fileno=descriptor) as found:
                assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                limits = [
                    found.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names
                ]
        assert limits == [10, 5, 3, 30_000]
    database.dispose()
