"""The figures against a recount of their own from the moves, after random histories."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db import Database
from service.desk import changes, moves, revisions, splits, undo
from service.desk.moves import By, Decision
from service.desk.revisions import NewText
from service.desk.statistics import figures, folding
from service.desk.statistics.figures import Figures, Range
from service.errors import InvalidFields, Refusal
from service.models import (
    Article,
    Category,
    Correction,
    Report,
    RollUp,
    Site,
    StaleHour,
    State,
)
from service.seed.sow import Plan, sow
from tests.conftest import ORIGIN, Clock
from tests.plans import plans
from tests.reporting import report

BY = By("token:tests")
RANGE = Range(date(2026, 2, 20), date(2026, 3, 12))
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")


def read(database: Database, site: Site, asked: Range = RANGE) -> Figures:
    with database.read_one_moment() as session:
        return figures.read(session, session.get_one(Site, site.id), asked)


def rank(values: list[int], share: float) -> int | None:
    if not values:
        return None
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]


def recount(database: Database, site: Site, asked: Range = RANGE) -> dict[str, Any]:
    """The same figures from reports and moves alone, the plain way."""
    with database.read() as session:
        zone = ZoneInfo(session.get_one(Site, site.id).time_zone)
        found = session.execute(
            select(Correction, Article)
            .join(Article, Article.id == Correction.article_id)
            .where(
                Correction.site_id == site.id,
                Correction.suspected.is_(False),
                Correction.id.in_(select(Report.correction_id)),
            )
        ).all()
        lives = [_life(session, correction, article, zone) for correction, article in found]

    def within(day: date | None) -> bool:
        return day is not None and asked.first <= day <= asked.last

    def line(rows: list[dict[str, Any]]) -> dict[str, Any]:
        decided = [row for row in rows if within(row["decided"])]
        fixed = [row for row in rows if within(row["fixed"])]
        accepted = sum(row["state"] in {State.ACCEPTED, State.FIXED} for row in decided)
        rejected = sum(row["state"] is State.REJECTED for row in decided)
        waits, repairs = [row["wait"] for row in decided], [row["repair"] for row in fixed]
        return {
            "reports": sum(within(day) for row in rows for day in row["reports"]),
            "corrections": sum(within(row["created"]) for row in rows),
            "decided": len(decided),
            "accepted": accepted,
            "rejected": rejected,
            "fixed": len(fixed),
            "accepted_share": accepted / (accepted + rejected) if accepted + rejected else None,
            "decision_median": rank(waits, 0.5),
            "decision_p90": rank(waits, 0.9),
            "fix_median": rank(repairs, 0.5),
            "fix_p90": rank(repairs, 0.9),
        }

    def lines(name: str) -> dict[str, dict[str, Any]]:
        values = {row[name] for row in lives}
        told = {value: line([row for row in lives if row[name] == value]) for value in values}
        return {value: one for value, one in told.items() if any(one.values())}

    days = {
        day: (
            sum(day == reported for row in lives for reported in row["reports"]),
            sum(row["created"] == day for row in lives),
            sum(row["decided"] == day for row in lives),
            sum(row["fixed"] == day for row in lives),
            sum(
                row["created"] <= day and not (row["closed"] and row["closed"] <= day)
                for row in lives
            ),
        )
        for day in asked.days()
    }
    reported = {value: one for value, one in lines("article").items() if one["reports"]}
    ranked = sorted(reported, key=lambda value: (-reported[value]["reports"], value))
    return {
        "days": days,
        "total": line(lives),
        **{name: lines(name) for name in ("section", "category", "language")},
        "article": {value: reported[value] for value in ranked[: figures.ARTICLES]},
    }


def _life(
    session: Session, correction: Correction, article: Article, zone: ZoneInfo
) -> dict[str, Any]:
    steps = moves.history(session, correction.id)
    reports = session.scalars(
        select(Report.created_at).where(Report.correction_id == correction.id)
    ).all()
    decided = steps[0].created_at if steps else None
    fixed, closed = _stands_since(steps)

    def local(at: datetime | None) -> date | None:
        return at.astimezone(zone).date() if at else None

    def minutes(at: datetime | None) -> int | None:
        return int((at - correction.created_at).total_seconds() // 60) if at else None

    return {
        "state": steps[-1].to_state if steps else State.NEW,
        "reports": [local(at) for at in reports],
        "created": local(correction.created_at),
        "decided": local(decided),
        "fixed": local(fixed),
        "closed": local(closed),
        "wait": minutes(decided),
        "repair": minutes(fixed),
        "section": article.section or "",
        "category": correction.category or "",
        "language": (article.lang or "").lower(),
        "article": article.id.hex,
    }


def _stands_since(steps: Any) -> tuple[datetime | None, datetime | None]:
    """Since when a correction is fixed and closed: what is undone gives back the instants before."""
    stood: list[tuple[datetime | None, datetime | None]] = [(None, None)]
    by_move: dict[Any, tuple[datetime | None, datetime | None]] = {}
    for step in steps:
        by_move[step.id] = stood[-1]
        closed = stood[-1][1]
        if step.undoes:
            stood.append(by_move[step.undoes])
            continue
        is_open = step.to_state in moves.OPEN
        was_open = step.from_state in moves.OPEN
        stood.append(
            (
                step.created_at if step.to_state is State.FIXED else None,
                None if is_open else step.created_at if was_open else closed,
            )
        )
    return stood[-1]


def told(found: Figures) -> dict[str, Any]:
    def line(one: Any) -> dict[str, Any]:
        return {k: v for k, v in asdict(one).items() if k not in {"value", "title", "url"}}

    def lines(many: Any) -> dict[str, Any]:
        return {one.value: line(one) for one in many if any(line(one).values())}

    return {
        "days": {d.day: (d.reports, d.corrections, d.decided, d.fixed, d.open) for d in found.days},
        "total": line(found.total),
        "section": lines(found.sections),
        "category": lines(found.categories),
        "language": lines(found.languages),
        "article": lines(found.articles),
    }


Act = Callable[[Session, datetime], object]


class History:
    """A newsroom that does things at random, and the clock that goes on meanwhile."""

    def __init__(self, database: Database, site: Site, clock: Clock, number: int) -> None:
        self.database, self.site, self.clock = database, site, clock
        self.rng = random.Random(number)
        self.words = count()

    def step(self) -> None:
        self.clock.advance(minutes=self.rng.expovariate(1 / 190))
        acts = (
            self.report,
            self.decide,
            self.decide,
            self.undo,
            self.change,
            self.split,
            self.push,
        )
        act = self.rng.choices(acts, (5, 3, 3, 2, 2, 1, 1))[0]
        with suppress(Refusal):
            act()

    def one(self) -> Any:
        with self.database.read() as session:
            ids = session.scalars(select(Correction.id).order_by(Correction.id)).all()
        return self.rng.choice(ids) if ids else report(self.database, self.site, self.clock())

    def report(self) -> None:
        rng = self.rng
        is_again = rng.random() < 0.4
        report(
            self.database, self.site, self.clock(),
            exact=f"word{rng.randrange(6)}" if is_again else f"new{next(self.words)}",
            source=f"{ORIGIN}/{rng.choice(['city', 'sport', 'world'])}/{rng.randrange(4)}",
            lang=rng.choice(["en", "uk", None]), start=None, suggestion=str(rng.randrange(2)),
            category=rng.choice([*Category, None]), website="x" if rng.random() < 0.1 else "",
        )  # fmt: skip

    def decide(self) -> None:
        correction_id, to = self.one(), self.rng.choice(list(State))
        with self.database.write() as session:
            moves.decide(
                session, self.site.id, correction_id, Decision(to), by=BY, now=self.clock()
            )

    def undo(self) -> None:
        correction_id = self.one()
        with self.database.write() as session:
            undo.undo(session, self.site.id, correction_id, by=BY, now=self.clock())

    def change(self) -> None:
        correction_id, other = self.one(), self.one()
        wanted: dict[str, Any] = self.rng.choice(
            [
                {"category": Category.FACT},
                {"category": None},
                {"suspected": False},
                {"suspected": True},
                {"duplicate_of": other},
            ]
        )
        with self.database.write() as session:
            changes.change(session, self.site.id, correction_id, wanted, by=BY, now=self.clock())

    def split(self) -> None:
        correction_id = self.one()
        with self.database.read() as session:
            ids = session.scalars(
                select(Report.id).where(Report.correction_id == correction_id)
            ).all()
        with self.database.write() as session:
            if self.rng.random() < 0.5:
                splits.put_back(session, self.site.id, correction_id, by=BY, now=self.clock())
            splits.split(session, self.site.id, correction_id, ids[1:2], by=BY, now=self.clock())

    def push(self) -> None:
        url = f"{ORIGIN}/city/{self.rng.randrange(4)}"
        text = f"{self.rng.randrange(9)} " * 30 + "0 or 1 it is, after all of that."
        section = self.rng.choice([None, "Town", "Sport"])
        with self.database.write() as session:
            new = NewText(url, text, section=section)
            revisions.push(session, self.site, new, now=self.clock())


@pytest.mark.parametrize("zone", ZONES)
def test_figures_equal_a_recount_after_random_histories(
    database: Database, site: Site, clock: Clock, zone: str
) -> None:
    with database.write() as session:
        session.get_one(Site, site.id).time_zone = zone
    clock.at = datetime(2026, 2, 18, 21, 0, tzinfo=UTC)
    newsroom = History(database, site, clock, ZONES.index(zone))
    for number in range(140):
        newsroom.step()
        if number % 28 == 0:
            folding.fold(database, most=3)
        if number % 35 == 0:
            assert told(read(database, site)) == recount(database, site)
    assert told(read(database, site)) == recount(database, site)
    folding.fold(database)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(StaleHour)) == 0
    assert told(read(database, site)) == recount(database, site)


def test_folded_months_days_and_fresh_days_make_one_range(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few that a day takes several statements.
    monkeypatch.setattr(folding, "ROWS_AT_ONCE", 7)
    until = datetime(2026, 4, 10, tzinfo=UTC)
    sow(database, site, Plan(200, until.timestamp(), days=72), people=[], secret="a")
    ranges = (
        Range(date(2026, 1, 20), date(2026, 4, 10)),
        Range(date(2026, 2, 1), date(2026, 3, 31)),
        Range(date(2026, 2, 3), date(2026, 3, 30)),
        Range(date(2026, 3, 9), date(2026, 3, 9)),
    )
    expected = [recount(database, site, asked) for asked in ranges]
    assert told(read(database, site, ranges[2])) == expected[2]
    folding.fold(database)
    with database.read() as session:
        months = session.scalars(
            select(RollUp.since).where(RollUp.grain == "month", RollUp.dimension == "all")
        ).all()
    assert {date(2026, 2, 1), date(2026, 3, 1)} <= set(months)
    assert [told(read(database, site, asked)) for asked in ranges] == expected
    with database.write() as session:
        article = session.scalars(select(Article).limit(1)).one()
        article.section = "Elsewhere"
        session.get_one(Site, site.id).time_zone = "Asia/Kathmandu"
    assert told(read(database, site, ranges[0])) == recount(database, site, ranges[0])


def test_change_while_it_is_folded_is_never_lost(
    database: Database, site: Site, now: datetime
) -> None:
    barrier = threading.Barrier(5)

    def at_once(number: int) -> None:
        barrier.wait(10)
        for round_ in range(8):
            if number < 2:
                folding.fold(database)
            else:
                report(database, site, now, exact=f"{number} {round_}", source=f"{ORIGIN}/{number}")

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(at_once, range(5)))
    assert read(database, site).total.reports == 24
    folding.fold(database)
    assert read(database, site).total.reports == 24


def test_split_put_back_after_its_days_were_folded_leaves_no_trace(
    database: Database, site: Site, clock: Clock
) -> None:
    one = report(database, site, clock())
    report(database, site, clock())
    before = told(read(database, site))
    with database.write() as session:
        chosen = session.scalars(select(Report.id).order_by(Report.id.desc()).limit(1)).all()
        made = splits.split(session, site.id, one, chosen, by=BY, now=clock()).id
    for to in (State.ACCEPTED, State.NEW):
        clock.advance(days=1)
        with database.write() as session:
            moves.decide(session, site.id, made, Decision(to), by=BY, now=clock())
    folding.fold(database)
    assert read(database, site).total.corrections == 2
    clock.advance(days=1)
    with database.write() as session:
        splits.put_back(session, site.id, made, by=BY, now=clock())
    assert told(read(database, site)) == before
    folding.fold(database)
    assert told(read(database, site)) == before


def test_other_sites_are_not_counted(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    report(database, other_site, now)
    report(database, site, now)
    folding.fold(database)
    assert (read(database, site).total.reports, read(database, other_site).total.reports) == (1, 1)


def test_nothing_is_told_as_nothing(database: Database, site: Site) -> None:
    found = read(database, site)
    assert (found.total.reports, found.open, found.total.accepted_share) == (0, 0, None)
    assert (found.thanked_share, found.total.fix_median, found.articles) == (None, None, [])
    assert len(found.days) == 21


@pytest.mark.parametrize(
    "asked", [Range(date(2026, 3, 2), date(2026, 3, 1)), Range(date(2000, 1, 1), date(2026, 1, 1))]
)
def test_range_that_is_none_is_refused(database: Database, site: Site, asked: Range) -> None:
    with pytest.raises(InvalidFields):
        read(database, site, asked)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_figures_read_no_days_nor_articles_but_those_asked_for(
    database: Database, site: Site
) -> None:
    until = datetime(2026, 4, 10, tzinfo=UTC)
    sow(database, site, Plan(60, until.timestamp(), days=72), people=[], secret="a")
    folding.fold(database)
    asked = Range(date(2026, 1, 20), date(2026, 4, 10))
    steps = [
        step
        for step in plans(database, lambda session: figures.read(session, site, asked))
        if "roll_ups" in step
    ]
    assert len(steps) > 4
    for step in steps:
        assert "site_id=? AND grain=? AND dimension=?" in step
    # The ranking alone looks at every article of the range.
    assert sum("COVERING INDEX ix_roll_ups_reports" in step for step in steps) > 2
