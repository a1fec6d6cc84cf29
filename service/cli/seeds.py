"""`corrigenda seed`: lifelike data to measure and to look at; not in the help."""

import sys
from datetime import UTC, datetime
from time import monotonic, process_time

import click
from sqlalchemy import select

from service import settings as settings_module
from service.accounts import sites
from service.cli.context import now, open_database
from service.desk.statistics import folding
from service.models import Editor, Membership
from service.seed.sow import DAYS, Person, Plan, sow


@click.command(hidden=True)
@click.option("--site", "key", required=True, help="The site's key.")
@click.option("--corrections", type=click.IntRange(1), default=1_000, show_default=True)
@click.option("--random-seed", type=int, default=1, show_default=True)
@click.option("--days", type=click.IntRange(1, 36500), default=DAYS, show_default=True)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="UTC; today where absent.")
def seed(key: str, corrections: int, random_seed: int, days: int, until: datetime | None) -> None:
    """Fill a site with made-up articles, reports, corrections and moves."""
    database = open_database()
    end = (until or now()).replace(tzinfo=UTC, microsecond=0)
    with database.read() as session:
        site = sites.find(session, key)
        people = [
            Person(row.id, row.email)
            for row in session.execute(
                select(Editor.id, Editor.email)
                .join(Membership, Membership.editor_id == Editor.id)
                .where(Membership.site_id == site.id)
                .order_by(Editor.email)
            )
        ]
    plan = Plan(corrections, end.timestamp(), random_seed, days)
    secret = settings_module.read().secret_key
    began, busy = monotonic(), process_time()
    with click.progressbar(length=corrections, label="Corrections", file=sys.stderr) as bar:
        rows = sow(database, site, plan, people=people, secret=secret, on_batch=bar.update)
    seconds, busy = max(monotonic() - began, 0.001), process_time() - busy
    folding.fold(database)
    click.echo(
        f"{rows:,} rows in {seconds:,.1f} s: {rows / seconds:,.0f} rows/s, "
        f"{busy:,.1f} s of them at work here"
    )
