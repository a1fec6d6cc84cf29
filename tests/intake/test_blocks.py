from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from service.db import Database
from service.errors import Blocked, InvalidFields, NotFound
from service.intake import NewReport, Submission, blocks, networks, pruning, screening
from service.models import Audit, Block, Correction, Report, Site
from tests.conftest import Clock
from tests.reporting import report

BY = "editor@news.example"
ADDRESS, NEIGHBOUR, STRANGER = "203.0.113.7", "203.0.113.99", "198.51.100.1"


def sent(database: Database, site: Site, now: datetime, address: str = ADDRESS) -> UUID:
    """A correction that came from this address."""
    return report(database, site, now, address=address)


def report_of(database: Database, correction_id: UUID) -> UUID:
    with database.read() as session:
        found = session.scalar(select(Report.id).where(Report.correction_id == correction_id))
    assert found
    return found


def block(
    database: Database, site: Site, correction_id: UUID, now: datetime, days: int
) -> datetime:
    chosen = [report_of(database, correction_id)]
    with database.write() as session:
        return blocks.block(session, site.id, correction_id, chosen, days, by=BY, now=now)


def is_out(database: Database, site: Site, address: str, now: datetime) -> bool:
    with database.write() as session:
        new = NewReport(source=f"{site.origins[0]}/a", comment="Where is this?")
        given = Submission(site, new, "key", "secret", now, address)
        [found] = screening.screen(session, [given])
    return isinstance(found, Blocked)


@pytest.fixture
def start(clock: Clock) -> datetime:
    """An instant with the whole of a key's life before it."""
    clock.at = networks.end_of(networks.period_of(clock()))
    return clock()


def test_network_of_a_report_is_kept_out_for_so_many_days(
    database: Database, site: Site, other_site: Site, start: datetime
) -> None:
    until = block(database, site, sent(database, site, start), start, 7)
    assert until == start + timedelta(days=7)
    last = until - timedelta(seconds=1)
    told = [is_out(database, each, address, at) for each, address, at in (
        (site, ADDRESS, start), (site, NEIGHBOUR, last), (site, NEIGHBOUR, until),
        (site, STRANGER, start), (other_site, ADDRESS, start),
    )]  # fmt: skip
    assert told == [True, True, False, False, False]
    with database.read() as session:
        noted = session.scalars(select(Audit).where(Audit.action == "network.blocked")).one()
    assert (noted.by, noted.after["networks"]) == (BY, 1)


def test_block_ends_with_the_key_that_names_the_network(
    database: Database, site: Site, start: datetime
) -> None:
    now = start + timedelta(days=28)
    end = start + networks.PERIOD
    assert block(database, site, sent(database, site, now), now, 7) == end
    pruning.prune(database, now=end + timedelta(days=1))
    with database.read() as session:
        assert session.scalars(select(Block)).all() == []


def test_shorter_block_leaves_the_longer_and_a_longer_takes_its_place(
    database: Database, site: Site, start: datetime
) -> None:
    correction_id = sent(database, site, start)
    for days, kept in ((7, 7), (1, 7), (30, 30)):
        block(database, site, correction_id, start, days)
        with database.read() as session:
            [only] = blocks.of_site(session, site.id, now=start)
        assert only.until == start + timedelta(days=kept)


def test_report_of_an_earlier_key_names_no_network(
    database: Database, site: Site, start: datetime
) -> None:
    correction_id = sent(database, site, start)
    later = start + networks.PERIOD
    with database.read() as session:
        assert len(blocks.senders(session, site.id, correction_id, now=start)) == 1
        assert blocks.senders(session, site.id, correction_id, now=later) == []
    with pytest.raises(InvalidFields, match="not known any more"):
        block(database, site, correction_id, later, 7)


def test_other_days_and_other_corrections_block_nothing(
    database: Database, site: Site, other_site: Site, start: datetime
) -> None:
    first, second = sent(database, site, start), sent(database, other_site, start, STRANGER)
    with pytest.raises(InvalidFields, match="1, 7 or 30"):
        block(database, site, first, start, 365)
    chosen = [report_of(database, second)]
    with database.write() as session, pytest.raises(InvalidFields):
        blocks.block(session, site.id, first, chosen, 7, by=BY, now=start)
    with database.read() as session:
        assert session.scalars(select(Block)).all() == []


def test_lifted_block_lets_in_again_and_is_noted(
    database: Database, site: Site, other_site: Site, start: datetime
) -> None:
    correction_id = sent(database, site, start)
    block(database, site, correction_id, start, 30)
    with database.read() as session:
        [sender] = blocks.senders(session, site.id, correction_id, now=start)
    assert sender.block
    with database.write() as session, pytest.raises(NotFound):
        blocks.lift(session, other_site.id, sender.block.id, by=BY, now=start)
    with database.write() as session:
        blocks.lift(session, site.id, sender.block.id, by="admin@news.example", now=start)
    assert not is_out(database, site, ADDRESS, start)
    with database.read() as session:
        noted = session.scalars(select(Audit).where(Audit.action == "network.freed")).one()
        assert session.get(Correction, correction_id)
    assert (noted.by, noted.before) == ("admin@news.example", {"blocked_by": BY})
