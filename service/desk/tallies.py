"""How many corrections stand where, and whether anything changed: one look-up at any size."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from service.db import Prepared
from service.models import Tally

TABS = ("new", "accepted", "fixed", "rejected", "spam", "suspected")
"""Where a correction is listed: by its state, but suspected spam by itself until called spam."""


@dataclass(frozen=True, slots=True)
class Tallied:
    """The exact numbers of a site by tab, and a number that grows with every change."""

    counts: dict[str, int]
    changes: int


_SUMS = Prepared(
    select(
        *(func.sum(getattr(Tally, f"{tab}_count")).label(tab) for tab in TABS),
        func.sum(Tally.changes).label("changes"),
    ).where(Tally.site_id == bindparam("site"))
)


def of_site(session: Session, site_id: UUID) -> Tallied:
    """What the site's corrections come to."""
    *counts, changes = (int(number or 0) for number in _SUMS.one(session, {"site": site_id}))
    return Tallied(dict(zip(TABS, counts, strict=True)), changes)
