"""docs/operations.md says nothing that does not work."""

import re
import shlex
import threading
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from service.accounts import sites
from service.cli import group
from service.db import Database
from service.models import Site
from service.settings import PREFIX, Variables
from tests.processes import environment, run
from tests.reporting import report
from tests.servers import wait_until

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/operations.md").read_text()
CODE = "\n".join(re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL))
INLINE = re.findall(r"`([^`\n]+)`", DOC)


def test_commands_that_are_named_are_understood() -> None:
    by = r"docker compose exec (?:-it )?\S+ |.*/bin/"
    named = re.findall(rf"^(?:{by})?corrigenda ([a-z].*)$", "\n".join([CODE, *INLINE]), re.M)
    assert len(named) >= 6
    for command in named:
        words = shlex.split(command, comments=True)
        found: click.Command | None = group
        while isinstance(found, click.Group):
            found = found.get_command(click.Context(found), words.pop(0))
        assert found is not None, command
        found.make_context(found.name, words)


def test_variables_that_are_named_exist() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Variables.__dataclass_fields__}
    named = {name.removesuffix("_FILE") for name in re.findall(rf"{PREFIX}[A-Z_]+", DOC)}
    assert named <= known


def test_files_that_are_named_exist() -> None:
    for file in re.findall(r"deploy/[\w./-]+\w", DOC):
        assert (ROOT / file).is_file(), file
    wanted = set(re.findall(r"secrets/([\w.]+)", CODE))
    compose = (ROOT / "docker-compose.yml").read_text()
    assert wanted == set(re.findall(r"\./secrets/([\w.]+)", compose))


@pytest.mark.parametrize("unit", ["corrigenda.service", "corrigenda-worker.service"])
def test_units_run_commands_that_exist_and_are_confined(unit: str) -> None:
    text = (ROOT / "deploy/systemd" / unit).read_text()
    for command in re.findall(r"^Exec\w+=/opt/corrigenda/bin/corrigenda (.+)$", text, re.M):
        words = command.split()
        found = group.get_command(click.Context(group), words[0])
        assert found is not None
        found.make_context(found.name, words[1:])
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=corrigenda"):
        assert line in text.splitlines()


@pytest.mark.parametrize("unit", ["corrigenda.service", "corrigenda-worker.service"])
def test_units_are_started_until_the_database_is_there(unit: str) -> None:
    read = ConfigParser(interpolation=None)
    read.read(ROOT / "deploy/systemd" / unit)
    started = (read["Service"]["Restart"], read["Service"]["RestartSec"])
    assert (*started, read["Unit"]["StartLimitIntervalSec"]) == ("on-failure", "5", "0")
    migrates = "migrate" in read["Service"].get("ExecStartPre", "")
    assert read["Service"].get("TimeoutStartSec") == ("infinity" if migrates else None)


def test_documented_backup_is_whole_while_reports_come_in(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    with database.write() as session:
        site = sites.create(session, "The Daily", ["https://news.example"], now=_now())
    stop, sent = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            sent.append(
                report(database, site, _now(), exact=f"word {len(sent)}", start=len(sent) * 10)
            )

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(sent) >= 20, 30, "reports come in")
    [line] = [line for line in CODE.splitlines() if line.startswith("corrigenda backup ")]
    before = len(sent)
    copy = tmp_path / "copy.db"
    done = run(
        [*shlex.split(line)[1:-1], str(copy)], environment(tmp_path, DATABASE_URL=sqlite_url)
    )
    assert done.returncode == 0, done.stderr
    stop.set()
    writer.join()
    database.dispose()
    assert before >= 20
    assert_whole(copy, before, site)


def _now() -> datetime:
    return datetime.now(UTC)


def assert_whole(copy: Path, least: int, site: Site) -> None:
    restored = Database(f"sqlite:///{copy}")
    with restored.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("reports", "corrections")
        ]
    assert counts[0] == counts[1] >= least
    report(restored, site, _now(), exact="after", start=5)
    restored.dispose()
