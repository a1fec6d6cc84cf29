"""Erasing what kept abuse out, once it has been kept long enough."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, false, or_, select, update
from sqlalchemy.orm import Session

from service.db import Database
from service.intake import networks
from service.models import NetworkKey, Report, Site, SpentChallenge

AT_ONCE = 1_000
"""So many networks are erased in one transaction: others wait for it on SQLite."""


def prune(database: Database, *, now: datetime, most: int | None = None) -> int:
    """Erase networks of reports, keys of past periods with their blocks, spent challenges.

    A network goes with the key that hashed it, or by its site's retention. Returns how many rows
    it was, hardly more than `most`.
    """
    erased = 0
    while most is None or erased < most:
        with database.read() as session:
            ids = _outdated(session, now)
            is_over = any(
                session.scalar(select(table).where(old).limit(1)) for table, old in _over(now)
            )
        if not ids and not is_over:
            break
        with database.write() as session:
            erased += _erase(session, ids, now)
    return erased


def _outdated(session: Session, now: datetime) -> Sequence[UUID]:
    """Reports whose network has been kept long enough."""
    began = networks.end_of(networks.period_of(now) - 1)
    days = session.scalars(select(Site.network_retention_days).distinct()).all()
    is_old = (
        and_(
            Site.network_retention_days == each,
            Report.created_at < max(began, now - timedelta(days=each)),
        )
        for each in days
    )
    return session.scalars(
        select(Report.id)
        .join(Site, Site.id == Report.site_id)
        .where(Report.network.is_not(None), or_(false(), *is_old))
        .limit(AT_ONCE)
    ).all()


def _over(now: datetime) -> list[tuple[type[NetworkKey | SpentChallenge], ColumnElement[bool]]]:
    """What is of no use any more, whatever a site says."""
    return [
        (NetworkKey, NetworkKey.period < networks.period_of(now)),
        (SpentChallenge, SpentChallenge.expires_at <= now),
    ]


def _erase(session: Session, ids: Sequence[UUID], now: datetime) -> int:
    session.execute(
        update(Report)
        .where(Report.id.in_(ids))
        .values(network=None)
        .execution_options(synchronize_session=False)
    )
    rows = (session.execute(delete(table).where(old).returning(old)) for table, old in _over(now))
    return len(ids) + sum(len(each.all()) for each in rows)
