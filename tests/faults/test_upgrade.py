"""Upgrades with data in the database: written by earlier releases, kept whole by every migration since."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, select, text

from service.db import Database, migrate
from service.models import State
from tests.conftest import Say, make_database
from tests.faults.load import Load, check_counters, check_integrity, kept
from tests.faults.test_migrations import is_whole
from tests.processes import Serving, environment, run, run_json
from tests.security.attacked import call
from tests.servers import wait_until

DATA = sorted((Path(__file__).parent / "upgrades").glob("*.sql"))

SITE = "the-daily"

REWRITTEN: dict[str, set[str]] = {}
"""For each revision the columns (`table.column`) that it changes or drops on purpose."""

Rows = dict[str, dict[Any, dict[str, Any]]]


@pytest.fixture(params=DATA, ids=lambda file: file.stem)
def data(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


@pytest.fixture
def url(data: Path, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database at the revision of the data, with the data in it."""
    revision, store = data.stem.split("-")
    file = tmp_path / "old.db"
    if store == "sqlite":
        made = f"sqlite:///{file}"
    else:
        made = make_database(request.getfixturevalue("postgresql_server"))
    database = Database(made)
    migrate.upgrade(database, revision)
    database.dispose()
    if store == "sqlite":
        # The rows are in no order that keys would allow; this driver does not check them.
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(data.read_text())
    else:
        with psycopg.connect(made) as connection:
            connection.execute(data.read_bytes())
    return made


@pytest.fixture
def old(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


def rows(database: Database) -> Rows:
    """Every row of every table by its key."""
    tables = MetaData()
    with database.engine.connect() as connection:
        tables.reflect(connection)
        return {
            table.name: {
                tuple(row[column.name] for column in table.primary_key): dict(row)
                for row in connection.execute(select(table)).mappings()
            }
            for table in tables.sorted_tables
            if table.name != "alembic_version" and table.primary_key.columns
        }


def differences(before: Rows, after: Rows, allowed: set[str]) -> list[str]:
    """What was there and is not, or not as it was."""
    return [
        f"{name} {key} {column}: {value!r}, then {after.get(name, {}).get(key, {}).get(column)!r}"
        for name, table in before.items()
        for key, row in table.items()
        for column, value in row.items()
        if f"{name}.{column}" not in allowed
        and after.get(name, {}).get(key, {}).get(column, row) != value
    ]


def test_data_of_an_earlier_release_is_kept_by_every_step(
    old: Database, data: Path, say: Say
) -> None:
    revisions = ScriptDirectory.from_config(migrate.config(old)).walk_revisions()
    steps = [each.revision for each in reversed(list(revisions)) if each.revision > data.stem[:4]]
    before = first = rows(old)
    assert sum(len(table) for table in first.values()) > 100
    for step in steps:
        migrate.upgrade(old, step)
        after = rows(old)
        assert differences(before, after, REWRITTEN.get(step, set())) == [], step
        before = after
    assert migrate.current(old) == migrate.head()
    assert is_whole(old)
    check_counters(old)
    check_integrity(old)
    count = sum(len(table) for table in first.values())
    say(f"upgrade of {data.stem}: {count} rows through {len(steps)} migrations, 0 lost")


def test_service_goes_on_with_the_data_of_an_earlier_release(
    url: str, old: Database, tmp_path: Path
) -> None:
    with old.engine.connect() as connection:
        written = connection.scalar(text("SELECT count(*) FROM reports"))
    env = environment(
        tmp_path,
        DATABASE_URL=url,
        SECRET_KEY="a secret for tests",
        REPORT_LIMITS="1000/minute",
    )
    assert run(["migrate"], env).returncode == 0
    token = run_json(["token", "create", "--site", SITE, "--scope", "read,review"], env)["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    with Serving(env) as server:
        api = f"{server.url}/api/v1/corrections"
        assert call(f"{server.url}/readyz")[0] == 200
        items = [
            item
            for state in State
            for suspected in ("true", "false")
            for item in call(f"{api}?state={state}&suspected={suspected}&limit=200", **bearer)[1][
                "items"
            ]
        ]
        assert sum(item["report_count"] for item in items) == written
        for item in items:
            assert call(f"{api}/{item['id']}", **bearer)[1]["reports"] == item["reports"]
        waiting = next(item["id"] for item in items if item["state"] == "new")
        status, moved, _ = call(f"{api}/{waiting}/moves", "POST", {"to": "accepted"}, **bearer)
        assert (status, moved["state"]) == (200, "accepted")
        with Load(server.url, SITE, threads=1) as load:
            wait_until(lambda: len(load.acknowledged) > 3, 60, "new reports are taken")
    assert load.acknowledged - kept(old) == set()
