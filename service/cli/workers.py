"""A worker with everything it is to do beside delivering."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from service.accounts import links
from service.db import Database
from service.desk.statistics import folding
from service.dispatch.clock import database_now
from service.dispatch.worker import Worker
from service.intake import pruning
from service.record import publications
from service.record.correspondence import Correspondence, utc_now
from service.settings import Settings


def make(
    database: Database,
    settings: Settings,
    *,
    clock: Callable[[Session], datetime] = database_now,
) -> Worker:
    """A worker that also writes to readers, publishes what was held, and folds the statistics."""
    readers = Correspondence(settings)
    chores: list[Callable[[], object]] = [
        partial(readers.tend, database),
        lambda: pruning.prune(database, now=utc_now(), most=pruning.AT_ONCE),
        lambda: links.prune(database, now=utc_now()),
        partial(publications.announce_due, database, clock),
        lambda: folding.fold(database, before=_this_hour(), most=folding.DAYS_AT_A_TURN),
    ]
    return Worker(database, settings, clock=clock, writers=readers.writers, chores=chores)


def _this_hour() -> datetime:
    return utc_now().replace(minute=0, second=0, microsecond=0)
