"""The database: whether it answers, is migrated and safe, keeps time, and is worked for."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from service import documents
from service.cli.doctor.findings import Finding, Level
from service.db import Database, migrate, sqlite_fault
from service.dispatch import measures
from service.dispatch.clock import database_now
from service.errors import Unavailable
from service.models import Event
from service.settings import Settings

LATE = timedelta(minutes=2)
SKEW = timedelta(seconds=5)
"""Two clocks that differ by more show times that are wrong, and end windows too early or late."""


def database(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """All about the database; stops where it does not answer or is not migrated."""
    opened = Database(settings.database_url)
    try:
        at, head = migrate.current(opened), migrate.head()
        if opened.is_sqlite and (fault := sqlite_fault()):
            advice = "Install the pysqlite3 wheel, or use PostgreSQL."
            yield Finding(Level.WARNING, "SQLite", fault, advice)
        migrate.refuse_unknown(at)
        if at != head:
            says = f"at revision {at or 'none'}, this release needs {head}"
            advice = "corrigenda migrate (make a backup first: docs/operations.md)"
            yield Finding(Level.FAULT, "database", says, advice)
            return
        yield Finding(Level.OK, "database", f"{opened.engine.dialect.name} at revision {at}")
        yield from skew(opened, clock)
        yield from deliveries(opened, clock())
        yield from search(opened)
    except Unavailable as error:
        advice = "Run the release that made it, or restore a backup of this one."
        yield Finding(Level.FAULT, "database", str(error), advice)
    except SQLAlchemyError as error:
        says = f"does not answer: {getattr(error, 'orig', None) or error}"
        advice = "Start it, or set CORRIGENDA_DATABASE_URL right."
        yield Finding(Level.FAULT, "database", says.strip(), advice)
    finally:
        opened.dispose()


def skew(opened: Database, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Whether the database's clock and this machine's agree."""
    with opened.read() as session:
        before, theirs, after = clock(), database_now(session), clock()
    ahead = max(theirs - after, before - theirs)
    if ahead > SKEW and not opened.is_sqlite:
        seconds = ahead.total_seconds()
        which = "ahead of" if theirs > after else "behind"
        yield Finding(
            Level.WARNING,
            "clock",
            f"the database's is {seconds:.0f} seconds {which} this machine's",
            "Let both keep time by NTP: timedatectl set-ntp true",
        )


def deliveries(opened: Database, now: datetime) -> Iterator[Finding]:
    """Whether somebody takes events out of the outbox, and receivers take them."""
    late = now - LATE
    with opened.read() as session:
        waiting = session.scalar(
            select(func.count()).where(Event.fanned_out_at.is_(None), Event.created_at < late)
        )
        found = measures.measure(session, now=now)
    minutes = LATE.seconds // 60
    if waiting:
        says = f"{waiting} events have waited for more than {minutes} minutes"
        advice = "Start a worker: corrigenda worker (on SQLite, `serve` is one)."
        yield Finding(Level.WARNING, "deliveries", says, advice)
    elif found.oldest_due_seconds > LATE.total_seconds():
        says = (
            f"{found.deliveries_pending} are waiting, the oldest due "
            f"for {found.oldest_due_seconds / 60:.0f} minutes"
        )
        advice = "Start a worker, or one more: corrigenda worker; corrigenda deliveries list"
        yield Finding(Level.WARNING, "deliveries", says, advice)
    if found.webhooks_failing or found.webhooks_disabled:
        says = f"{found.webhooks_failing} fail, {found.webhooks_disabled} are switched off"
        advice = "See what they answered: corrigenda deliveries list"
        yield Finding(Level.WARNING, "webhooks", says, advice)


def search(opened: Database) -> Iterator[Finding]:
    """Whether the index is there that makes search quick."""
    with opened.read() as session:
        if documents.has_index(session):
            return
    advice = (
        "As a superuser: CREATE EXTENSION pg_trgm; then, as the service's user: "
        "CREATE INDEX CONCURRENTLY documents_index ON documents USING gin (text gin_trgm_ops);"
    )
    says = "the index of trigrams is missing: all is found, but slowly"
    yield Finding(Level.WARNING, "search", says, advice)
