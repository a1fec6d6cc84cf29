import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from service import intake
from service.db import Database
from service.intake import NewReport
from service.models import Audit, Report, Site
from tests.conftest import ORIGIN
from tests.processes import environment, run, run_json
from tests.reporting import report

EMAIL = "reader@mail.example"


def test_reader_is_exported_and_erased_from_the_command_line(
    database: Database, database_url: str, site: Site, now: datetime, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    report(database, site, now, email=EMAIL)
    done = run(["reader", "export", EMAIL, "--site", site.key], env)
    assert [json.loads(line)["email"] for line in done.stdout.splitlines()] == [EMAIL]
    assert run_json(["reader", "erase", EMAIL, "--site", site.key], env) == {"reports": 1}
    assert run(["reader", "export", EMAIL, "--site", site.key], env).stdout == ""
    with database.read() as session:
        logged = session.scalars(select(Audit).where(Audit.action.like("reader.%"))).all()
    assert [(each.action, each.by) for each in logged] == [
        ("reader.exported", "command line"),
        ("reader.erased", "command line"),
        ("reader.exported", "command line"),
    ]


def test_prune_erases_what_is_older_than_the_site_says(
    database: Database, database_url: str, site: Site, tmp_path: Path
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    today = datetime.now(UTC)
    for days in (0, 89, 91, 400):
        new = NewReport(
            f"{ORIGIN}/{days}", exact="x", suggestion="y", email=f"r{days}@mail.example"
        )
        with database.write() as session:
            intake.submit(
                session, site, new, key=str(days), secret="s", address="203.0.113.9",
                now=today - timedelta(days=days),
            )  # fmt: skip
    done = run_json(["prune"], env)
    assert done["emails"] == 2
    with database.read() as session:
        rows = session.execute(
            select(Report.idempotency_key, Report.email, Report.network).order_by(Report.created_at)
        ).all()
    assert [(key, email) for key, email, _ in rows] == [
        ("400", None), ("91", None), ("89", "r89@mail.example"), ("0", "r0@mail.example"),
    ]  # fmt: skip
    assert [network is not None for *_, network in rows] == [False, False, False, True]
    assert run_json(["prune"], env) == {"emails": 0, "networks": 0, "links": 0}
