"""Networks that a site takes no reports from for some days, told by the reports that came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from service import audits
from service.db import Prepared, new_id
from service.errors import NotFound, invalid
from service.intake import networks
from service.models import Block, Report

DAYS = (1, 7, 30)
"""For so many days a network may be blocked; its key may end before."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The network that a report came from, as far as it is still known."""

    report_id: UUID
    block: Block | None
    """What keeps it out at this moment."""


def senders(
    session: Session, site_id: UUID, correction_id: UUID, *, now: datetime
) -> Sequence[Sender]:
    """The reports of a correction whose network can be blocked, the oldest first."""
    stands = and_(Block.site_id == site_id, Block.network == Report.network, Block.until > now)
    rows = session.execute(
        select(Report.id, Block)
        .join(Block, stands, isouter=True)
        .where(*_of_this_key(site_id, correction_id, now))
        .order_by(Report.id)
    )
    return [Sender(report_id, block) for report_id, block in rows]


def block(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    report_ids: Sequence[UUID],
    days: int,
    *,
    by: str,
    now: datetime,
) -> datetime:
    """Take no reports any more from where these reports came from; returns until when.

    That is after so many days, at the end of the key that the networks are hashed under at the
    latest. A block that stands longer is left alone. Raises InvalidFields.
    """
    if days not in DAYS:
        raise invalid("/days", "1, 7 or 30 days.")
    wanted = (*_of_this_key(site_id, correction_id, now), Report.id.in_(report_ids))
    found = session.scalars(select(Report.network).where(*wanted).distinct()).all()
    if not found:
        raise invalid("/report", "Where these reports came from is not known any more.")
    period = networks.period_of(now)
    until = min(now + timedelta(days=days), networks.end_of(period))
    for network in found:
        values = {"period": period, "by": by, "created_at": now, "until": until}
        key = {"site_id": site_id, "network": network}
        _NEW.run(session, {"id": new_id(), **key, **values})
        session.execute(
            update(Block)
            .where(Block.site_id == site_id, Block.network == network, Block.until < until)
            .values(**values)
        )
    after = {"networks": len(found), "until": f"{until:%Y-%m-%d %H:%M} UTC"}
    audits.note(
        session, site_id, "network.blocked", str(correction_id), by=by, now=now, after=after
    )
    return until


def lift(session: Session, site_id: UUID, block_id: UUID, *, by: str, now: datetime) -> None:
    """Take reports from the network again; raises NotFound."""
    gone = session.scalar(
        delete(Block).where(Block.id == block_id, Block.site_id == site_id).returning(Block.by)
    )
    if gone is None:
        raise NotFound("This network is not blocked.")
    before = {"blocked_by": gone}
    audits.note(session, site_id, "network.freed", "", by=by, now=now, before=before)


def of_site(session: Session, site_id: UUID, *, now: datetime) -> Sequence[Block]:
    """What a site keeps out at this moment, the newest first."""
    return session.scalars(
        select(Block)
        .where(Block.site_id == site_id, Block.until > now)
        .order_by(Block.created_at.desc(), Block.id)
    ).all()


def _of_this_key(
    site_id: UUID, correction_id: UUID, now: datetime
) -> tuple[ColumnElement[bool], ...]:
    """Reports whose network is hashed as that of a report from now would be."""
    began = networks.end_of(networks.period_of(now) - 1)
    return (
        Report.site_id == site_id,
        Report.correction_id == correction_id,
        Report.network.is_not(None),
        Report.created_at >= began,
    )


_NEW = Prepared.insert(Block, "id site_id period network by created_at until", or_leave=True)
