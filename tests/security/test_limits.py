"""Limits per reader address: forwarded headers, IPv6 networks, windows that move."""

import time
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from service.app import create_app
from service.db import Database
from service.models import Site
from service.settings import Settings
from service.web.limits import network
from tests.conftest import Clock
from tests.web.test_public import body, post


@pytest.fixture
def limited(settings: Settings, database: Database, clock: Clock) -> Flask:
    tight = replace(settings, report_limits="3/minute", public_url="https://localhost")
    return create_app(tight, database, clock=clock)


def statuses(
    app: Flask, site: Site, addresses: list[str], forwarded: list[str] | None = None
) -> list[int]:
    found = []
    for number, address in enumerate(addresses):
        headers = {"X-Forwarded-For": forwarded[number]} if forwarded else {}
        client: Any = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        found.append(post(client, site, body(), key=f"{address}-{number}", **headers).status_code)
    return found


def test_fourth_report_is_refused_with_a_time_to_wait(limited: Flask, site: Site) -> None:
    client = limited.test_client()
    answers = [post(client, site, body(), key=str(number)) for number in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    refused = answers[-1]
    assert refused.mimetype == "application/problem+json"
    assert refused.json["type"].endswith("/too-many-requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]


def test_receipts_cannot_be_tried_without_end(app: Flask) -> None:
    client = app.test_client()
    asked = [client.get(f"/api/v1/receipts/{number}").status_code for number in range(121)]
    assert asked == [404] * 120 + [429]
    refused = client.get("/api/v1/receipts/1")
    assert refused.json["type"].endswith("/too-many-requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_forwarded_header_is_ignored_by_default(limited: Flask, site: Site) -> None:
    forged = [f"198.51.100.{number}" for number in range(4)]
    assert statuses(limited, site, ["203.0.113.1"] * 4, forged) == [201, 201, 201, 429]


def test_forwarded_header_of_a_trusted_proxy_counts(
    settings: Settings, database: Database, site: Site, clock: Clock
) -> None:
    behind = replace(
        settings, report_limits="3/minute", trusted_proxies=1, public_url="https://localhost"
    )
    app = create_app(behind, database, clock=clock)
    # The reader forges the first address; the proxy appends the real one.
    forged = [f"198.51.100.{number}, 203.0.113.1" for number in range(4)]
    assert statuses(app, site, ["127.0.0.1"] * 4, forged) == [201, 201, 201, 429]
    readers = [f"203.0.113.{number}" for number in range(10, 14)]
    assert statuses(app, site, ["127.0.0.1"] * 4, readers) == [201] * 4


def test_addresses_of_one_ipv6_network_count_together(limited: Flask, site: Site) -> None:
    assert statuses(limited, site, [f"2001:db8:1:2::{n:x}" for n in range(1, 5)]) == [
        201,
        201,
        201,
        429,
    ]
    assert statuses(limited, site, ["2001:db8:1:3::1"]) == [201]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_network_of_an_address(address: str, expected: str) -> None:
    assert network(address) == expected


def test_window_moves(settings: Settings, database: Database, site: Site, clock: Clock) -> None:
    """Two a second, tried without a pause: in no second more than two may pass."""
    quick = replace(settings, report_limits="2/second", public_url="https://localhost")
    client = create_app(quick, database, clock=clock).test_client()
    # A fixed window lets four through around its edge, if the first came shortly before it.
    time.sleep((1.7 - time.time() % 1) % 1)
    passed: list[tuple[float, float]] = []
    number = 0
    while len(passed) < 6:
        number += 1
        asked = time.time()
        if post(client, site, body(), key=str(number)).status_code == 201:
            passed.append((asked, time.time()))
    # It was let through at some instant between these two: what is certain is the widest gap.
    gaps = [later[1] - first[0] for first, later in zip(passed, passed[2:], strict=False)]
    assert min(gaps) >= 1
