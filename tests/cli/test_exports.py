import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from service.accounts import sites
from service.cli import exports
from service.db import Database
from service.desk.exports import FORMATS
from service.desk.filters import Filters
from service.models import Site
from tests.conftest import ORIGIN
from tests.processes import COMMAND, environment, run
from tests.reporting import report
from tests.servers import PATIENCE, wait_until


def test_export_writes_what_the_filters_let_through(
    database: Database, database_url: str, site: Site, now: datetime, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    for number in range(3):
        report(database, site, now, exact=f"слово {number}", start=None, website="x" * number)

    def text(ending: str, filters: Filters) -> str:
        return "".join(FORMATS[ending].parts(database, site.id, filters))

    done = run(["export", "--site", site.key], env)
    assert (done.returncode, done.stdout) == (0, text("jsonl", Filters(suspected=None)))
    file = tmp_path / "made.csv"
    done = run(["export", str(file), "--site", site.key, "--format", "csv", "--state", "new",
                "--without-suspected"], env)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_bytes().decode() == text("csv", Filters())
    assert file.stat().st_mode & 0o077 == 0


def test_link_stays_and_what_it_names_is_replaced(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    file, link = tmp_path / "named.csv", tmp_path / "link.csv"
    file.write_text("old")
    link.symlink_to(file)
    done = run(["export", str(link), "--site", site.key, "--format", "csv"], env)
    assert (done.returncode, link.is_symlink()) == (0, True)
    assert file.read_bytes().decode() == "".join(FORMATS["csv"].parts(database, site.id, Filters()))


def test_pipe_stays_and_is_written_into(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(pipe.read_bytes)
        done = run(["export", str(pipe), "--site", site.key, "--format", "csv"], env)
        if not pipe.is_fifo():
            pytest.fail("the pipe is gone")
    assert done.returncode == 0
    assert reading.result() == "".join(FORMATS["csv"].parts(database, site.id, Filters())).encode()


def test_reader_of_the_output_who_has_enough_is_told_nothing(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:
        done = subprocess.run(
            [COMMAND, "site", "list"],
            check=False,
            env=env,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("command", [["export", "--format", "csv"], ["site", "list"], ["--help"]])
def test_full_standard_output_is_told_in_one_line(
    database: Database, database_url: str, site: Site, tmp_path: Path, command: list[str]
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND, *command],
            check=False,
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    [line] = [line for line in done.stderr.splitlines() if line != "Corrections"]
    assert (done.returncode, line) == (1, "corrigenda: [Errno 28] No space left on device")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_export_that_is_stopped_leaves_nothing(
    database: Database, database_url: str, tmp_path: Path, now: datetime
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    with database.write() as session:
        site = sites.create(session, "The Daily", [ORIGIN], now=now)
    report(database, site, now)
    with database.write() as session:
        session.execute(text("LOCK TABLE reports"))
        process = subprocess.Popen([COMMAND, "export", str(tmp_path / "made")], env=env,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        wait_until(lambda: any(tmp_path.glob(".made.*.unfinished")), PATIENCE, "the export begins")
        process.terminate()
        _, written = process.communicate(timeout=30)
    assert (process.returncode, written.splitlines()[-1]) == (1, "corrigenda: Stopped.")
    assert list(tmp_path.glob("*made*")) == []


def test_export_that_cannot_be_written_says_so(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    done = run(["export", str(tmp_path / "none" / "file"), "--site", site.key], env)
    assert done.returncode == 1
    assert done.stderr.startswith("corrigenda: The file cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_exports_into_one_file_are_each_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none is there before it would outlive a loss of power."""
    file, is_there, sync = tmp_path / "made", list[bool](), os.fsync

    def watch(descriptor: int) -> None:
        is_there.append(file.exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    with exports._opened(file) as one:
        one.write("one")
        with exports._opened(file) as other:
            other.write("another")
        assert (file.read_text(), is_there) == ("another", [False])
    assert file.read_text() == "one"
    assert list(tmp_path.iterdir()) == [file]
