from datetime import datetime
from pathlib import Path

from service.db import Database
from service.desk.exports import FORMATS
from service.desk.filters import Filters
from service.models import Site
from tests.processes import environment, run
from tests.reporting import report


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


def test_export_that_cannot_be_written_says_so(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    done = run(["export", str(tmp_path / "none" / "file"), "--site", site.key], env)
    assert done.returncode == 1
    assert done.stderr.startswith("corrigenda: The file cannot be written: ")
    assert done.stderr.count("\n") == 1
