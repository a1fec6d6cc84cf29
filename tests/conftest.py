"""What tests share: both databases, migrated; a site, its people and tokens; a clock to set."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from service import settings as settings_module
from service.accounts import editors, sites, tokens
from service.app import create_app
from service.db import Base, Database, migrate
from service.models import Editor, Role, Site
from service.settings import Settings
from service.web import current
from service.web.current import Parts
from service.web.limits import limiter
from tests import summary
from tests.browser.engines import Chromium, EngineMissing
from tests.servers import MISSING_POSTGRESQL, PATIENCE, PostgreSQL, wait_until

ORIGIN = "https://news.example"
PASSWORD = "a password for tests"
REQUIRE_ALL = os.environ.get("CORRIGENDA_REQUIRE_ALL") == "1"
POSTGRESQL_URL = "CORRIGENDA_TEST_POSTGRESQL"


def missing(reason: str) -> None:
    """Skip with one line; fail where everything has to be there."""
    if REQUIRE_ALL:
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    # Argon2 with everything in it that costs time and memory turned down.
    editors.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    # Only the first process starts the server; its workers find it in the environment.
    if (
        not hasattr(config, "workerinput")
        and not os.environ.get(POSTGRESQL_URL)
        and PostgreSQL.binaries()
    ):
        server = PostgreSQL()
        server.start()
        os.environ[POSTGRESQL_URL] = server.url()
        config.add_cleanup(lambda: os.environ.pop(POSTGRESQL_URL, None) and None)
        config.add_cleanup(server.remove)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    summary.write(terminalreporter)


Say = Callable[[str], None]


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """Puts a line of figures into the summary at the end of the run."""
    return lambda line: record_property(summary.LINE, line)


@pytest.fixture(scope="session")
def chromium_process() -> Iterator[None]:
    """One Chromium for all tests of this process; it ends with them."""
    yield
    Chromium.quit()


@pytest.fixture
def chromium(chromium_process: None) -> Iterator[Chromium]:
    """A page in Chromium that knows nothing of earlier ones."""
    try:
        browser = Chromium()
    except EngineMissing as reason:
        missing(str(reason))
        raise
    yield browser
    browser.close()


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    at: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **duration: float) -> datetime:
        self.at += timedelta(**duration)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def now(clock: Clock) -> datetime:
    return clock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "migrated.db"
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return file


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of a server on which databases may be made."""
    server = os.environ.get(POSTGRESQL_URL)
    if not server:
        missing(MISSING_POSTGRESQL)
        raise AssertionError
    return server


def make_database(server: str) -> str:
    """The URL of a new, empty PostgreSQL database; the server goes away with the test run."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rpartition("/")[0] + f"/{name}"


@pytest.fixture(scope="session")
def postgresql_migrated(postgresql_server: str) -> str:
    url = make_database(postgresql_server)
    database = Database(url)
    migrate.upgrade(database)
    database.dispose()
    return url


OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def end_others(connection: psycopg.Connection[Any]) -> None:
    """End every other connection, and wait: until then its transaction may still be committed."""

    def are_gone() -> bool:
        connection.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        return connection.execute(f"SELECT count(*) {OTHERS}").fetchone() == (0,)

    wait_until(are_gone, PATIENCE, "earlier connections end")


@pytest.fixture
def postgresql_url(postgresql_migrated: str) -> str:
    """A migrated PostgreSQL database without a row: emptied, since making one takes half a second."""
    with psycopg.connect(postgresql_migrated, autocommit=True) as connection:
        end_others(connection)
        tables = reversed(Base.metadata.sorted_tables)
        connection.execute("; ".join(f'DELETE FROM "{table.name}"' for table in tables))
    return postgresql_migrated


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> str:
    """A fresh, migrated SQLite database, in the place of the last test's."""
    file = sqlite_template.with_name("corrigenda.db")
    for old in sqlite_template.parent.glob("corrigenda.db*"):
        old.unlink()
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def opened() -> dict[str, Database]:
    """Databases by URL: each knows its statements compiled, which takes longer than most tests."""
    return {}


@pytest.fixture
def database(database_url: str, opened: dict[str, Database]) -> Iterator[Database]:
    if database_url not in opened:
        opened[database_url] = Database(database_url)
    yield opened[database_url]
    opened[database_url].dispose()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_module.read(
        {
            "CORRIGENDA_DATABASE_URL": database_url,
            "CORRIGENDA_DATA_DIR": str(tmp_path),
            "CORRIGENDA_SECRET_KEY": "a secret for tests",
            "CORRIGENDA_PUBLIC_URL": "https://corrections.example",
            "CORRIGENDA_REPORT_LIMITS": "1000/minute",
            "CORRIGENDA_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        }
    )


@dataclass
class Wired:
    """The application of one test after another: wiring one takes longer than most tests."""

    app: Flask | None = None
    storage: object = None

    def __call__(self, settings: Settings, database: Database, clock: Clock) -> Flask:
        # Where a test wired another, its limits took the place of these.
        if self.app is None or limiter.storage is not self.storage:
            self.app = create_app(settings, database, clock=clock)
            self.storage = limiter.storage
        limiter.reset()
        parts: Parts = self.app.extensions[current.NAME]
        self.app.extensions[current.NAME] = Parts(database, settings, clock, parts.on_event)
        return self.app


@pytest.fixture(scope="session")
def wired() -> Wired:
    return Wired()


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock, wired: Wired) -> Flask:
    return wired(replace(settings, public_url="https://localhost"), database, clock)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def site(database: Database, now: datetime) -> Site:
    with database.write() as session:
        return sites.create(session, "The Daily", [ORIGIN], now=now)


@pytest.fixture
def other_site(database: Database, now: datetime) -> Site:
    with database.write() as session:
        return sites.create(session, "The Other", ["https://other.example"], now=now)


def _editor(database: Database, email: str, site: Site, role: Role, now: datetime) -> Editor:
    with database.write() as session:
        return editors.create(session, email, PASSWORD, site, role, now=now)


@pytest.fixture
def editor(database: Database, site: Site, now: datetime) -> Editor:
    return _editor(database, "editor@news.example", site, Role.EDITOR, now)


@pytest.fixture
def admin(database: Database, site: Site, now: datetime) -> Editor:
    return _editor(database, "admin@news.example", site, Role.ADMIN, now)


@pytest.fixture
def other_site_editor(database: Database, other_site: Site, now: datetime) -> Editor:
    return _editor(database, "editor@other.example", other_site, Role.ADMIN, now)


def _bearer(database: Database, site: Site, now: datetime) -> dict[str, str]:
    with database.write() as session:
        _, secret = tokens.create(
            session, site, ["read", "review", "publish", "admin"], name="tests", now=now
        )
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def bearer(database: Database, site: Site, now: datetime) -> dict[str, str]:
    """Headers of a token of the site with every scope."""
    return _bearer(database, site, now)


@pytest.fixture
def other_bearer(database: Database, other_site: Site, now: datetime) -> dict[str, str]:
    """Headers of a token of another site with every scope."""
    return _bearer(database, other_site, now)
