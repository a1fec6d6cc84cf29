import json
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.accounts import sites
from service.cli.imports import BATCH
from service.db import Database
from service.models import Article, Audit, Report, Site
from tests.conftest import ORIGIN
from tests.processes import COMMAND, environment, run, run_json
from tests.reporting import report
from tests.servers import PATIENCE, wait_until

ROWS = f"""INSERT INTO `wp_mistape_reports` (`ID`, `date_gmt`, `selection`, `url`, `status`) VALUES
(1,'2025-03-01 12:00:00','wrold','{ORIGIN}/a','pending'),
(2,'2025-03-01 12:00:00','thier','https://elsewhere.example/a','pending'),
(3,'2025-03-01 12:00:00','t\udcffier','{ORIGIN}/a','resolve');
"""


def test_import_tells_what_came_of_each_row_and_again_nothing_comes(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    file = tmp_path / "mistape.sql"
    file.write_text(ROWS, errors="surrogateescape")
    done = run(["import", "mistape", str(file), "--site", site.key], env)
    assert done.returncode == 0
    assert done.stdout == (
        "Imported 1 reports, 1 new corrections; 0 reports were there already, 2 rows are bad\n"
    )
    assert [line for line in done.stderr.splitlines() if line.startswith("line ")] == [
        "line 3: the address is not on one of this site's hosts",
        "line 4: the selection has characters that are not valid UTF-8",
    ]
    again = run_json(["import", "mistape", str(file), "--site", site.key], env)
    assert again == {"corrections": 0, "reports": 0, "known": 1, "bad": 2}
    with database.read() as session:
        logged = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert [(each.action, each.by, each.subject) for each in logged[-2:]] == [
        ("import.mistape", "command line", "mistape.sql")
    ] * 2
    assert logged[-1].after == again


def test_export_of_one_site_is_imported_by_another(
    database: Database, database_url: str, site: Site, now: datetime, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    report(database, site, now)
    file = tmp_path / "all.jsonl"
    assert run(["export", str(file), "--site", site.key], env).returncode == 0
    other = run_json(["site", "create", "The New", "--origin", ORIGIN], env)["key"]
    done = run_json(["import", "jsonl", str(file), "--site", other], env)
    assert done == {"corrections": 1, "reports": 1, "known": 0, "bad": 0}
    told = [run(["export", "--site", key], env).stdout for key in (site.key, other)]
    targets = [json.loads(text)["target"] for text in told]
    assert targets[0] == targets[1]


def test_instant_out_of_range_is_told_and_the_rest_goes_on(
    database: Database, database_url: str, site: Site, now: datetime, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    report(database, site, now)
    [line] = run(["export", "--site", site.key], env).stdout.splitlines()
    late = json.dumps({**json.loads(line), "created": "9999-12-31T23:59:59-23:59"})
    file = tmp_path / "all.jsonl"
    file.write_text(f"{late}\n{line}\n")
    done = run(["import", "jsonl", str(file), "--site", site.key], env)
    assert done.returncode == 0
    assert done.stdout == (
        "Imported 0 reports, 0 new corrections; 1 reports were there already, 1 rows are bad\n"
    )
    assert "line 1: created is out of range" in done.stderr.splitlines()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_import_that_is_stopped_is_noted_with_what_it_kept(
    database: Database, database_url: str, now: datetime, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    with database.write() as session:
        site = sites.create(session, "The Daily", [ORIGIN], now=now)
    head, row = ROWS.splitlines()[:2]
    rows = [row.replace("(1,", f"({number},") for number in range(1, BATCH + 2)]
    rows[-1] = rows[-1].replace("/a'", "/last'").replace("),", ");")
    file = tmp_path / "mistape.sql"
    file.write_text("\n".join([head, *rows]))

    def reports() -> int:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(Report)) or 0

    with database.write() as session:
        # The second batch waits for it.
        session.add(Article(site_id=site.id, url=f"{ORIGIN}/last", created_at=now))
        session.flush()
        process = subprocess.Popen([COMMAND, "import", "mistape", str(file)], env=env,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        wait_until(lambda: reports() == BATCH, PATIENCE, "the first batch is kept")
        process.send_signal(signal.SIGINT)
        _, written = process.communicate(timeout=30)
        session.rollback()
    told = written.splitlines()
    assert (process.returncode, told[-1]) == (1, "corrigenda: Stopped.")
    assert f"Imported until then: {BATCH} reports, 1 new corrections; " in written
    with database.read() as session:
        noted = session.scalars(select(Audit).where(Audit.action == "import.mistape")).one()
    database.dispose()
    assert noted.after == {"corrections": 1, "reports": BATCH, "known": 0, "bad": 0}


def test_file_with_nothing_in_it_is_refused(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    file = tmp_path / "other.sql"
    file.write_text("INSERT INTO wp_posts VALUES (1);")
    done = run(["import", "mistape", str(file), "--site", site.key], env)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"corrigenda: Nothing was found in {file}; see: corrigenda import mistape --help"
    )
