"""What the statistics and the list of articles cost at any size: seeded, folded, read, compared.

`python -m bench.statistics --corrections 1000000`; the figures of all days are compared with what
the tables say themselves. Times are medians; the same questions are put to a small site as well.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, select

from service.accounts import sites
from service.db import Database, migrate
from service.desk import articles
from service.desk.statistics import figures, folding
from service.desk.statistics.figures import Range
from service.models import Correction, Report, Site
from service.seed.sow import DAYS, Plan, sow

SMALL = 1_000
ROUNDS = 7


def timed(ask: Callable[[], Any]) -> float:
    """Milliseconds, the median of some rounds after one that warms up."""
    ask()
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1000)
    return median(found)


def planted(database: Database, name: str, corrections: int, now: datetime) -> Site:
    """A new site with so many corrections, its days folded."""
    with database.write() as session:
        site = sites.create(session, name, ["https://news.example"], now=now)
    began = time.perf_counter()
    rows = sow(database, site, Plan(corrections, now.timestamp()), people=[], secret="bench")
    sown = time.perf_counter() - began
    began = time.perf_counter()
    days = folding.fold(database)
    folded = time.perf_counter() - began
    print(
        f"{name}: {corrections:,} corrections, {rows / sown:,.0f} rows/s; "
        f"{days} days folded in {folded:.1f} s",
        flush=True,
    )
    return site


def compare(database: Database, site: Site, asked: Range) -> None:
    """Raise AssertionError where a figure is not what the tables say."""
    with database.read_one_moment() as session:
        told = figures.read(session, site, asked)
        counted = session.scalar(
            select(func.count()).where(
                Correction.site_id == site.id, Correction.suspected.is_(False)
            )
        )
        reports = session.scalar(
            select(func.count())
            .select_from(Report)
            .join(Correction, Correction.id == Report.correction_id)
            .where(Report.site_id == site.id, Correction.suspected.is_(False))
        )
    assert (told.total.corrections, told.total.reports) == (counted, reports)


def main() -> None:
    """Print the times of both sites and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corrections", type=int, default=1_000_000)
    parser.add_argument("--database", help="The URL of an empty one; SQLite in a folder otherwise.")
    wanted = parser.parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(wanted.database or f"sqlite:///{Path(folder) / 'bench.db'}")
        migrate.upgrade(database)
        small = planted(database, "Small", SMALL, now)
        large = planted(database, "Large", wanted.corrections, now)
        today = now.date()
        everything = Range(today - timedelta(days=DAYS + 30), today)
        compare(database, large, everything)
        print("The figures of all days are what the tables say.")
        for days in (30, 365, DAYS + 31):
            asked = Range(today - timedelta(days=days - 1), today)
            say(
                database,
                small,
                large,
                f"{days} days",
                lambda s, site, of=asked: figures.read(s, site, of),
            )
        for name, only_open in (("open", True), ("all", False)):
            say(
                database, small, large, f"articles, {name}",
                lambda s, site, of=only_open: articles.page(s, site.id, only_open=of),
            )  # fmt: skip
        database.dispose()


def say(
    database: Database, small: Site, large: Site, name: str, ask: Callable[[Any, Site], Any]
) -> None:
    """Print what a question costs."""

    def once(site: Site) -> None:
        with database.read_one_moment() as session:
            ask(session, site)

    few, many = timed(lambda: once(small)), timed(lambda: once(large))
    print(
        f"{name:14}: {many:8.1f} ms, {many / few:5.1f} × the small site's {few:.1f} ms", flush=True
    )


if __name__ == "__main__":
    main()
