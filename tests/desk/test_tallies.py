from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, func, select

from service.db import Base, Database
from service.desk import changes, moves, tallies, undo
from service.desk.moves import By, Decision
from service.models import Correction, Document, Site, State
from tests.reporting import report

BY = By("token:tests")


def tallied(database: Database, site: Site) -> tallies.Tallied:
    with database.read() as session:
        return tallies.of_site(session, site.id)


def counted(database: Database, site: Site) -> dict[str, int]:
    """The same, counted row by row."""
    tab = case(
        (Correction.state == State.SPAM, "spam"),
        (Correction.suspected, "suspected"),
        else_=Correction.state,
    )
    with database.read() as session:
        rows = session.execute(
            select(tab, func.count()).where(Correction.site_id == site.id).group_by(tab)
        ).all()
    return dict.fromkeys(tallies.TABS, 0) | {str(name): count for name, count in rows}


def test_nothing_has_changed_on_a_new_site(database: Database, site: Site) -> None:
    assert tallied(database, site) == tallies.Tallied(dict.fromkeys(tallies.TABS, 0), 0)


def test_tallies_follow_every_change(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    report(database, other_site, now)
    made = [report(database, site, now, exact=f"w{each}", start=None) for each in range(6)]
    trapped = report(database, site, now, website="spam")
    seen = [tallied(database, site).changes]
    assert tallied(database, site).counts == {
        **dict.fromkeys(tallies.TABS, 0),
        "new": 6,
        "suspected": 1,
    }
    with database.write() as session:
        for each, to in zip([*made, trapped], [*State, State.ACCEPTED, State.SPAM], strict=True):
            if to is not State.NEW:
                moves.decide(session, site.id, each, Decision(to), by=BY, now=now)
    assert tallied(database, site).counts == counted(database, site)
    seen.append(tallied(database, site).changes)
    with database.write() as session:
        undo.undo(session, site.id, made[1], by=BY, now=now)
        undo.undo(session, site.id, trapped, by=BY, now=now)
        changes.change(session, site.id, trapped, {"suspected": False}, by=BY, now=now)
    assert tallied(database, site).counts == counted(database, site)
    seen.append(tallied(database, site).changes)
    with database.write() as session:
        changes.change(session, site.id, made[0], {"public_note": "Thanks."}, by=BY, now=now)
    seen.append(tallied(database, site).changes)
    erase(database, made[5])
    assert tallied(database, site).counts == counted(database, site)
    seen.append(tallied(database, site).changes)
    assert sorted(set(seen)) == seen
    assert tallied(database, other_site).counts["new"] == 1


def test_each_change_counts_once(database: Database, site: Site, now: datetime) -> None:
    made = report(database, site, now)
    before = tallied(database, site).changes
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(State.ACCEPTED), by=BY, now=now)
    assert tallied(database, site).changes == before + 1


def erase(database: Database, correction_id: UUID) -> None:
    with database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if "correction_id" in table.c and table.name != "documents":
                session.execute(delete(table).where(table.c.correction_id == correction_id))
        session.execute(delete(Correction).where(Correction.id == correction_id))
        found = select(func.count()).where(Document.correction_id == correction_id)
        assert session.scalar(found) == 0


def test_many_at_once_are_all_counted(database: Database, site: Site, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda each: report(database, site, now, exact=f"word{each}", start=None,
                                    source=f"https://news.example/{each}"),
                range(24),
            )
        )  # fmt: skip

        def accept(correction_id: UUID) -> None:
            with database.write() as session:
                moves.decide(
                    session, site.id, correction_id, Decision(State.ACCEPTED), by=BY, now=now
                )

        list(pool.map(accept, made[:12]))
    assert tallied(database, site).counts == counted(database, site)
    assert tallied(database, site).counts["accepted"] == 12
