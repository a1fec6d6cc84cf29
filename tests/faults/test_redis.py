"""Redis gone or hanging: limits go on in this process, and somebody is told."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.db import Database
from service.models import Site
from service.settings import Settings
from service.web.limits import limiter
from tests.conftest import Clock, Say, missing
from tests.servers import MISSING_REDIS, Redis
from tests.web.test_public import body, post


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    if Redis.binary() is None:
        missing(MISSING_REDIS)
    # The limiter is one for all applications of a process: forget the last test's dead store.
    monkeypatch.setattr(limiter, "_storage_dead", False)
    server = Redis()
    server.start()
    yield server
    server.stop()


def client_with(settings: Settings, database: Database, clock: Clock, redis: Redis) -> FlaskClient:
    shared = replace(
        settings, redis_url=redis.url(), report_limits="5/minute", public_url="https://localhost"
    )
    return create_app(shared, database, clock=clock).test_client()


def statuses(client: FlaskClient, site: Site, prefix: str, count: int) -> list[int]:
    return [
        post(client, site, body(), key=f"{prefix}{number}").status_code for number in range(count)
    ]


def test_limit_is_shared_by_applications(
    settings: Settings, database: Database, clock: Clock, site: Site, redis: Redis
) -> None:
    first = client_with(settings, database, clock, redis)
    second = client_with(settings, database, clock, redis)
    assert statuses(first, site, "a", 3) + statuses(second, site, "b", 3) == [201] * 5 + [429]


@pytest.mark.parametrize("fault", ["gone", "hanging"])
def test_limit_holds_without_redis_and_an_alert_is_logged(
    settings: Settings,
    database: Database,
    clock: Clock,
    site: Site,
    redis: Redis,
    caplog: pytest.LogCaptureFixture,
    say: Say,
    fault: str,
) -> None:
    client = client_with(settings, database, clock, redis)
    assert statuses(client, site, "before", 1) == [201]
    assert redis.process is not None
    if fault == "gone":
        redis.stop()
    else:
        os.kill(redis.process.pid, signal.SIGSTOP)
    began = time.perf_counter()
    first = statuses(client, site, "first", 1)
    waited = time.perf_counter() - began
    assert first + statuses(client, site, "after", 5) == [201] * 5 + [429]
    assert any(
        "storage" in record.getMessage() and record.levelname in {"WARNING", "ERROR"}
        for record in caplog.records
    )
    if fault == "hanging":
        os.kill(redis.process.pid, signal.SIGCONT)
    say(f"Redis {fault}: the first request fell back after {waited * 1000:.0f} ms")
