from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from service import intake
from service.db import Database
from service.intake import NewReport, networks, pruning
from service.models import Block, NetworkKey, Report, Site, SpentChallenge
from tests.conftest import ORIGIN

BEGAN = networks.end_of(networks.period_of(datetime.fromisoformat("2026-03-01T12:00:00Z")))


@pytest.fixture
def days(database: Database, site: Site) -> list[datetime]:
    """Ten reports from ten networks, one on each of the first days of a period."""
    found = [BEGAN + timedelta(days=number) for number in range(10)]
    for number, at in enumerate(found):
        new = NewReport(f"{ORIGIN}/{number}", exact="wrold", suggestion="world")
        with database.write() as session:
            intake.submit(
                session, site, new, key=str(number), secret="s", now=at,
                address=f"203.0.{number}.9",
            )  # fmt: skip
    return found


def kept(database: Database) -> list[int]:
    """Which of the reports still have a network."""
    with database.read() as session:
        rows = session.execute(select(Report.idempotency_key, Report.network))
        return sorted(int(key) for key, network in rows if network is not None)


def test_networks_go_by_each_sites_retention(
    database: Database, site: Site, other_site: Site, days: list[datetime]
) -> None:
    with database.write() as session:
        session.get_one(Site, site.id).network_retention_days = 3
    now = days[-1] + timedelta(hours=1)
    assert pruning.prune(database, now=now) == 7
    assert kept(database) == [7, 8, 9]
    assert pruning.prune(database, now=now) == 0


def test_networks_go_with_the_key_that_hashed_them(
    database: Database, site: Site, days: list[datetime]
) -> None:
    period = networks.period_of(days[0])
    with database.write() as session:
        block = Block(site_id=site.id, period=period, network="n", by="editor", created_at=days[0],
                      until=networks.end_of(period))  # fmt: skip
        session.add(block)
        session.add(SpentChallenge(signature="s", expires_at=days[0]))
    assert pruning.prune(database, now=networks.end_of(period) - timedelta(seconds=1)) == 1
    assert kept(database) == list(range(10))
    assert pruning.prune(database, now=networks.end_of(period)) == 11
    assert kept(database) == []
    with database.read() as session:
        assert session.scalars(select(NetworkKey.period)).all() == []
        assert session.scalars(select(Block.id)).all() == []


def test_turn_erases_only_so_many(
    database: Database, days: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 4)
    now = networks.end_of(networks.period_of(days[0])) + timedelta(days=1)
    assert pruning.prune(database, now=now, most=1) == 5
    assert len(kept(database)) == 6
    assert pruning.prune(database, now=now) == 6


def test_nothing_to_erase_writes_nothing(database: Database, site: Site, now: datetime) -> None:
    assert pruning.prune(database, now=now) == 0
