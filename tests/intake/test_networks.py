from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from service.db import Database
from service.intake import networks
from service.models import NetworkKey, Site


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:77:88:1:2:3:4", "2001:db8:77::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", None),
        ("unix", None),
    ],
)
def test_prefix_of_an_address(address: str, expected: str | None) -> None:
    assert networks.prefix(address) == expected


def test_period_ends_where_the_next_begins() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    end = networks.end_of(networks.period_of(moment))
    assert moment < end <= moment + timedelta(days=30)
    assert networks.period_of(end) == networks.period_of(moment) + 1
    assert networks.period_of(end - timedelta(microseconds=1)) == networks.period_of(moment)


def test_one_network_has_one_hash_a_site_and_period(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    def ask(site: Site, address: str, at: datetime = now) -> networks.Network | None:
        with database.write() as session:
            keys = networks.Keys(session)
            return networks.find(keys, site.id, networks.prefix(address), now=at)

    first = ask(site, "203.0.113.1")
    assert first is not None
    assert ask(site, "203.0.113.200") == first
    others = [
        ask(site, "203.0.114.1"),
        ask(other_site, "203.0.113.1"),
        ask(site, "203.0.113.1", now + networks.PERIOD),
    ]
    assert first.hash not in {other.hash for other in others if other}
    assert ask(site, "unix") is None
    with database.read() as session:
        secrets = session.scalars(select(NetworkKey.secret)).all()
    assert len(secrets) == len(set(secrets)) == 3
