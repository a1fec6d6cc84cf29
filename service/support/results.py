"""What came of a campaign: each variant's share of clicks, and whether one does better."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.models import Campaign, CountKind, SupportCount
from service.support import intervals
from service.support.intervals import Interval

ENOUGH_CLICKS = 10
"""Below this many clicks and this many views without one, a variant's share says too little."""


@dataclass(frozen=True, slots=True)
class Result:
    """One variant's counts, the share of its views that were clicked, and its lead on the first."""

    variant: str
    totals: dict[CountKind, int]
    share: Interval | None
    against_first: Interval | None

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to tell anything by."""
        views, clicks = self.totals[CountKind.VIEW], self.totals[CountKind.CLICK]
        return clicks >= ENOUGH_CLICKS and views - clicks >= ENOUGH_CLICKS

    @property
    def is_different(self) -> bool:
        """Whether the whole interval lies on one side of the first variant."""
        gap = self.against_first
        return gap is not None and (gap.low > 0 or gap.high < 0)


@dataclass(frozen=True, slots=True)
class Day:
    """What was counted on one day, over all variants and places."""

    day: date
    totals: dict[CountKind, int]


def compare(session: Session, campaign: Campaign, first: date, last: date) -> list[Result]:
    """A result for each variant of the campaign, in its order, from one day to another."""
    counted: dict[str, dict[CountKind, int]] = defaultdict(_none)
    for variant, kind, total in session.execute(
        select(SupportCount.variant, SupportCount.kind, func.sum(SupportCount.total))
        .where(SupportCount.campaign_id == campaign.id, SupportCount.day.between(first, last))
        .group_by(SupportCount.variant, SupportCount.kind)
    ):
        counted[variant][kind] = int(total)
    found: list[Result] = []
    for key in [variant["key"] for variant in campaign.variants]:
        share = _share(counted[key])
        control = found[0].share if found else None
        gap = intervals.difference(share, control) if share and control else None
        found.append(Result(key, counted[key], share, gap))
    return found


def by_day(session: Session, campaign: Campaign, first: date, last: date) -> Sequence[Day]:
    """The days on which anything was counted, the oldest first."""
    days: dict[date, dict[CountKind, int]] = defaultdict(_none)
    for day, kind, total in session.execute(
        select(SupportCount.day, SupportCount.kind, func.sum(SupportCount.total))
        .where(SupportCount.campaign_id == campaign.id, SupportCount.day.between(first, last))
        .group_by(SupportCount.day, SupportCount.kind)
        .order_by(SupportCount.day)
    ):
        days[day][kind] = int(total)
    return [Day(day, totals) for day, totals in days.items()]


def rows(session: Session, campaign: Campaign, first: date, last: date) -> list[tuple[Any, ...]]:
    """Every count as `(day, variant, place, kind, total)`, the oldest first."""
    columns = (SupportCount.day, SupportCount.variant, SupportCount.place, SupportCount.kind)
    return [
        tuple(row)
        for row in session.execute(
            select(*columns, SupportCount.total)
            .where(SupportCount.campaign_id == campaign.id, SupportCount.day.between(first, last))
            .order_by(*columns)
        )
    ]


def _none() -> dict[CountKind, int]:
    return dict.fromkeys(CountKind, 0)


def _share(totals: dict[CountKind, int]) -> Interval | None:
    # One reader may click twice; a share is of views.
    views = totals[CountKind.VIEW]
    return intervals.share(min(totals[CountKind.CLICK], views), views) if views else None
