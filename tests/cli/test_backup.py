"""Backup while readers write, and a restored copy that serves."""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from service.cli import backup
from service.db import Database
from service.db.engines import sqlite_driver
from service.errors import Unavailable
from tests.conftest import ORIGIN, Say, make_database
from tests.faults.load import Load, check_counters, check_integrity, kept, row
from tests.processes import Serving, environment, run, run_json
from tests.servers import wait_until

DOC = (Path(__file__).parents[2] / "docs/operations.md").read_text()


def test_copy_made_under_load_is_whole_and_serves(
    sqlite_url: str, tmp_path: Path, say: Say
) -> None:
    env = environment(
        tmp_path, DATABASE_URL=sqlite_url, REPORT_LIMITS="1000000/minute", SECRET_KEY="k"
    )
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    copies = []
    with Serving(env) as server, Load(server.url, key, threads=2) as load:
        for number in range(3):
            before = set(load.acknowledged)
            wait_until(
                lambda before=before: len(load.acknowledged) > len(before) + 5,
                60,
                "reports are taken",
            )
            acknowledged = set(load.acknowledged)
            file = tmp_path / f"copy-{number}.db"
            done = run(["backup", str(file)], env)
            assert done.returncode == 0, done.stderr
            copies.append((file, acknowledged))
        assert load.refused == []
    for file, acknowledged in copies:
        database = Database(f"sqlite:///{file}")
        assert acknowledged - kept(database) == set()
        check_counters(database)
        check_integrity(database)
        database.dispose()
        assert file.stat().st_mode & 0o077 == 0
    elsewhere = environment(tmp_path / "elsewhere", SECRET_KEY="k")
    (tmp_path / "elsewhere").mkdir()
    began = time.monotonic()
    assert run_json(["restore", str(copies[-1][0])], elsewhere)["revision"]
    with Serving(elsewhere) as server:
        seconds = time.monotonic() - began
        with urllib.request.urlopen(
            f"{server.url}/api/v1/sites/{key}/widget", timeout=30
        ) as answer:
            assert answer.status == 200
        with Load(server.url, key, threads=1) as more:
            wait_until(lambda: len(more.acknowledged) > 0, 60, "the copy takes reports")
    say(row(f"restored from a backup under load ({len(copies[-1][1])})", 1, 0, 0, seconds))


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
connection.execute("PRAGMA synchronous=OFF")
print(flush=True)
while True:
    connection.execute("UPDATE sites SET excerpt_limit = excerpt_limit % 400 + 1")
"""


def test_large_database_is_copied_while_another_process_commits(
    sqlite_url: str, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    source, file = sqlite_url.removeprefix("sqlite:///"), tmp_path / "copy.db"
    run_json(["site", "create", "One", "--origin", ORIGIN], env)
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE filler AS SELECT randomblob(64000000)")
    argv = [sys.executable, "-c", WRITER, source]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "\n"
            done = run(["backup", str(file)], env, seconds=60)
            assert writer.poll() is None
        finally:
            writer.kill()
    assert (done.returncode, done.stderr) == (0, "")
    assert file.stat().st_size > 64_000_000


def test_postgresql_dumped_under_load_by_the_documented_commands_serves(
    postgresql_url: str, postgresql_server: str, tmp_path: Path, say: Say
) -> None:
    env = environment(tmp_path, DATABASE_URL=postgresql_url, REPORT_LIMITS="1000000/minute")
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    dump, another = tmp_path / "corrigenda.dump", make_database(postgresql_server)
    with Serving(env) as server, Load(server.url, key, threads=2) as load:
        wait_until(lambda: len(load.acknowledged) > 10, 60, "reports are taken")
        acknowledged = set(load.acknowledged)
        documented("pg_dump", database=postgresql_url, file=dump)
    began = time.monotonic()
    # In the place of a database that is empty, and of one that a newer release has migrated.
    for _ in range(2):
        for command in ("dropdb", "createdb", "pg_restore"):
            documented(command, database=another, file=dump)
        with psycopg.connect(another) as connection:
            connection.execute("CREATE TABLE of_a_newer_release ()")
    elsewhere = environment(tmp_path / "elsewhere", DATABASE_URL=another)
    assert run(["migrate"], elsewhere).returncode == 0
    database = Database(another)
    assert acknowledged - kept(database) == set()
    check_counters(database)
    with Serving(elsewhere) as server, Load(server.url, key, threads=1) as more:
        wait_until(lambda: len(more.acknowledged) > 0, 60, "the copy takes reports")
        seconds = time.monotonic() - began
    assert more.acknowledged - kept(database) == set()
    database.dispose()
    say(row(f"restored from pg_dump under load ({len(acknowledged)})", 1, 0, 0, seconds))


def documented(command: str, *, database: str, file: Path) -> None:
    """Run a command as docs/operations.md has it, on another database and file."""
    [line] = re.findall(rf"^{command} .*$", DOC, re.MULTILINE)
    server, _, name = database.rpartition("/")
    line = line.replace("--dbname=corrigenda", f"--dbname={database}")
    line = re.sub(" corrigenda$", f" --maintenance-db={server}/postgres {name}", line)
    line = line.replace("/var/backups/corrigenda.dump", str(file))
    subprocess.run(shlex.split(line), check=True, capture_output=True)


def test_restore_replaces_only_when_told(sqlite_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    run_json(["site", "create", "One", "--origin", ORIGIN], env)
    file = tmp_path / "copy.db"
    assert run(["backup", str(file)], env).returncode == 0
    run_json(["site", "create", "Two", "--origin", ORIGIN], env)
    refused = run(["restore", str(file)], env)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "--replace" in refused.stderr
    assert run(["restore", "--replace", str(file)], env).returncode == 0
    listed = run(["site", "list"], env).stdout
    assert "One" in listed
    assert "Two" not in listed


def test_damaged_database_is_replaced(sqlite_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    target, file = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "copy.db"
    run_json(["site", "create", "One", "--origin", ORIGIN], env)
    assert run(["backup", str(file)], env).returncode == 0
    logs = [target.with_name(f"{target.name}{ending}") for ending in ("-wal", "-shm")]
    for damaged in (target, *logs):
        damaged.write_bytes(b"not a database at all")
    done = run(["restore", "--replace", str(file)], env)
    assert (done.returncode, done.stderr) == (0, "")
    assert [log.exists() for log in logs] == [False, False]
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(target.parent.glob(".*")) == []
    assert "One" in run(["site", "list"], env).stdout


def test_database_that_is_in_use_is_not_replaced(sqlite_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    target, file = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "copy.db"
    assert run(["backup", str(file)], env).returncode == 0
    before = target.stat().st_ino
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("SELECT count(*) FROM sites").fetchone()
        done = run(["restore", "--replace", str(file)], env)
    assert (done.returncode, done.stderr) == (
        1,
        f"corrigenda: {target} is in use; stop the service first.\n",
    )
    assert target.stat().st_ino == before


def test_database_that_is_opened_while_the_copy_is_synced_is_not_replaced(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, file = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "copy.db"
    shutil.copy(target, file)
    before, sync = target.stat().st_ino, os.fsync
    with closing(sqlite_driver().connect(target)) as service:

        def begin_to_serve(descriptor: int) -> None:
            service.execute("SELECT count(*) FROM sites").fetchone()
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", begin_to_serve)
        with pytest.raises(Unavailable, match="in use"):
            backup._put(file, target)
    assert target.stat().st_ino == before


@pytest.mark.parametrize("revision", ["9999", "1a2b3c4d5e6f", None])
def test_backup_of_another_release_leaves_the_database_alone(
    sqlite_url: str, tmp_path: Path, revision: str | None
) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    file = tmp_path / "copy.db"
    assert run(["backup", str(file)], env).returncode == 0
    run_json(["site", "create", "Mine", "--origin", ORIGIN], env)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
        if revision:
            connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    done = run(["restore", "--replace", str(file)], env)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "ours" in done.stderr
    assert "Mine" in run(["site", "list"], env).stdout


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all", b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_what_is_no_backup_is_not_restored(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "copy.db"
    file.write_bytes(content)
    env = environment(tmp_path / "var")
    (tmp_path / "var").mkdir()
    done = run(["restore", str(file)], env)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert not (tmp_path / "var" / "corrigenda.db").exists()


def test_file_that_is_not_there_is_not_restored(tmp_path: Path) -> None:
    done = run(["restore", str(tmp_path / "copy.db")], environment(tmp_path))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "There is no file" in done.stderr
    assert not (tmp_path / "copy.db").exists()


def test_backup_overwrites_nothing_and_names_pg_dump(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("mine")
    done = run(["backup", str(file)], environment(tmp_path, DATABASE_URL=sqlite_url))
    assert done.returncode == 1
    assert file.read_text() == "mine"
    scaled = environment(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    done = run(["backup", str(tmp_path / "b")], scaled)
    assert done.returncode == 1
    assert "pg_dump" in done.stderr
