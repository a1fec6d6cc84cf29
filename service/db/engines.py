"""Engines and sessions: one write lock on SQLite, rows that lock themselves on PostgreSQL."""

import logging
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from service import errors
from service.db import loops
from service.db.groups import Busy, Given, Group, Result, Verb
from service.settings import BadSetting

log = logging.getLogger(__name__)

LOCK_SECONDS = 5.0
"""How long a request waits for the write lock before it is told to come back."""

STATEMENT_SECONDS = 30
"""The longest that PostgreSQL works on one statement of a request."""

IDLE_SECONDS = 60.0
"""The longest that PostgreSQL keeps a transaction, and its locks, whose next statement is due."""

GONE_SECONDS = 30
"""So long PostgreSQL's machine may be silent until it counts as gone."""

MOMENT_SECONDS = 0.01
"""How long an event loop waits for the write lock before it leaves the waiting to a thread."""

PATIENCE = f"PRAGMA busy_timeout={int(LOCK_SECONDS * 1000)}"
"""So long a connection to SQLite waits for another process's writing."""

READER_KIB, WRITER_KIB = 512, 4096
"""Page caches: many connections read, and through the one that writes goes all that is new."""

LOG_PAGES = 4000
"""SQLite's log may hold so many until a commit moves them into the database, and waits for it."""

TIDY_SECONDS = 0.1
"""So long after the last time a thread moves them, while an event loop commits."""

STATEMENTS = 500
"""So many prepared ones a connection keeps: once it has more, the driver drops the newest first."""

SAFE_SQLITE = (3, 51, 3)
"""The first release without the WAL-reset corruption bug."""


def sqlite_driver() -> ModuleType:
    """The `pysqlite3` wheel, which bundles a current SQLite, else the interpreter's own."""
    try:
        import pysqlite3
    except ImportError:
        return sqlite3
    module: ModuleType = pysqlite3
    return module


def sqlite_fault() -> str | None:
    """What is wrong with the SQLite that would be used; None where it is safe."""
    driver = sqlite_driver()
    if driver.sqlite_version_info >= SAFE_SQLITE:
        return None
    safe = ".".join(map(str, SAFE_SQLITE))
    return (
        f"SQLite {driver.sqlite_version} can corrupt a database that several processes write to; "
        f"{safe} and later cannot"
    )


class Database:
    """One database: `read()` and `write()` give sessions, `write()` commits once at its end.

    On SQLite the writers of this process queue at a lock, so that none meets SQLite's busy sleep;
    `BEGIN IMMEDIATE` does the rest between processes. On PostgreSQL rows lock themselves.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            # What is wrong with it is left out: it may hold a password.
            raise BadSetting(
                "A database has an address like sqlite:///FILE or postgresql://…"
            ) from None
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = _sqlite_engine(parsed, begin="BEGIN", cache_kib=READER_KIB)
            self.writer = _sqlite_engine(parsed, begin="BEGIN IMMEDIATE", cache_kib=WRITER_KIB)
            self.grouped = self.writer
        else:
            self.engine = self.writer = _postgresql_engine(parsed, pool_size=10, max_overflow=20)
            # One group at a time; its statements lead to few rows each, whatever is asked for.
            self.grouped = _postgresql_engine(
                parsed, "-c plan_cache_mode=force_generic_plan", pool_size=1, max_overflow=1
            )
        level = "SERIALIZABLE" if self.is_sqlite else "REPEATABLE READ"
        self._moment = self.engine.execution_options(isolation_level=level)
        self.changes = 0
        """Goes up with every transaction of this process but the groups'."""
        self._lock = threading.Lock()
        self._next_tidy = 0.0
        self._group = Group(self._transaction)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; what it sees is one moment's state on SQLite."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def read_one_moment(self) -> Iterator[Session]:
        """A session that only reads, and sees one moment's state on PostgreSQL too."""
        with Session(self._moment, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction, committed at the end of the block.

        Raises Unavailable when the write lock is not free within LOCK_SECONDS.
        """
        with self._turn(), Session(self.writer, expire_on_commit=False) as session:
            yield session
            session.commit()
            self.changes += 1

    def write_together(self, verb: Verb[Given, Result], given: Given) -> Result:
        """What the verb returns, once it is durable; in one commit with others' work.

        Raises what the verb gives instead (others' work is kept all the same), and as `write` does.
        """
        return self._group.run(verb, given)

    @contextmanager
    def _transaction(self, *, at_once: bool) -> Iterator[Connection]:
        # Over a network nothing comes at once.
        if at_once and not self.is_sqlite:
            raise Busy
        with self._turn(at_once=at_once), self.grouped.connect() as connection:
            if at_once:
                _begin_at_once(connection)
            with connection.get_transaction() or connection.begin():
                yield connection
        if at_once and time.monotonic() >= self._next_tidy:
            self._next_tidy = math.inf
            loops.beside(self._tidy)

    def _tidy(self) -> None:
        """Move what the log holds into the database, while others go on writing."""
        try:
            with self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (SQLAlchemyError, sqlite_driver().Error) as error:
            log.warning("what is in the log could not be moved: %s", error)
        finally:
            self._next_tidy = time.monotonic() + TIDY_SECONDS

    @contextmanager
    def _turn(self, *, at_once: bool = False) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._lock.acquire(timeout=MOMENT_SECONDS if at_once else LOCK_SECONDS):
            if at_once:
                raise Busy
            raise errors.Unavailable("Too many are writing at once; try again.", retry_after=2)
        try:
            yield
        finally:
            self._lock.release()

    def dispose(self) -> None:
        """Close all pooled connections."""
        for engine in {self.engine, self.writer, self.grouped}:
            engine.dispose()


def _begin_at_once(connection: Connection) -> None:
    """Begin, if no other process writes just now; raises Busy."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={int(MOMENT_SECONDS * 1000)}")
    try:
        connection.begin()
    except OperationalError:
        raise Busy from None
    finally:
        driver.execute(PATIENCE)


def _json(value: Any) -> str:
    """A value as JSON, which `orjson` writes in a tenth of the time."""
    return orjson.dumps(value).decode()


_JSON: dict[str, Any] = {"json_serializer": _json, "json_deserializer": orjson.loads}


def _sqlite_engine(url: URL, *, begin: str, cache_kib: int) -> Engine:
    engine = create_engine(
        url,
        module=sqlite_driver(),
        pool_size=20,
        max_overflow=20,
        pool_timeout=LOCK_SECONDS,
        # What one connection writes, the others' page caches have to read anew.
        pool_use_lifo=True,
        connect_args={"cached_statements": STATEMENTS},
        hide_parameters=True,
        **_JSON,
    )

    @event.listens_for(engine, "do_connect")
    def make_private(*_: Any) -> None:
        # SQLite would let everybody read it, and gives its log the same rights. A file that is
        # there is never opened here: to close it again would let go of all locks that this process
        # holds on it, and the next program to close the database would delete its log.
        with suppress(OSError):
            os.close(os.open(url.database or "", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late and is never IMMEDIATE; ours is in `start`.
        connection.isolation_level = None
        # The timeout first: the change to WAL itself may meet another process.
        for pragma in (
            PATIENCE,
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA foreign_keys=ON",
            f"PRAGMA cache_size=-{cache_kib}",
            f"PRAGMA wal_autocheckpoint={LOG_PAGES}",
        ):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(url: URL, more: str = "", **pool: int) -> Engine:
    idle = f"-c idle_in_transaction_session_timeout={int(IDLE_SECONDS * 1000)}"
    working = f"-c statement_timeout={STATEMENT_SECONDS}s"
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        **pool,
        **_JSON,
        pool_timeout=LOCK_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "keepalives_idle": GONE_SECONDS // 3,
            "keepalives_interval": GONE_SECONDS // 6,
            "keepalives_count": 3,
            "tcp_user_timeout": GONE_SECONDS * 1000,
            "options": f"-c timezone=utc -c jit=off {working} {idle} {more}",
        },
    )
