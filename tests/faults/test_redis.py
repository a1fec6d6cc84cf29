"""Redis gone or hanging: limits go on in this process, and somebody is told."""

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.app import create_app
from service.db import Database
from service.models import Site
from service.settings import Settings
from service.web import limits
from service.web.limits import limiter
from service.web.straight import LIMITED
from tests.conftest import Clock, Say, missing
from tests.faults.load import row, store_of
from tests.servers import MISSING_REDIS, PATIENCE, Redis, wait_until
from tests.web.test_pages import OURS
from tests.web.test_public import body, post

TIMES = 5


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    if Redis.binary() is None:
        missing(MISSING_REDIS)
    forget(monkeypatch)
    server = Redis()
    server.start()
    yield server
    server.stop()


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limiter is one for all applications of a process: forget an earlier one's dead store."""
    monkeypatch.setattr(limiter, "_storage_dead", False)
    monkeypatch.setattr(limiter, "_Limiter__last_check_backend", 0)


def client_with(
    settings: Settings, database: Database, clock: Clock, redis: Redis, said: str = "5/minute"
) -> FlaskClient:
    shared = replace(
        settings, redis_url=redis.url(), report_limits=said, public_url="https://localhost"
    )
    return create_app(shared, database, clock=clock).test_client()


def statuses(client: FlaskClient, site: Site, prefix: str, count: int) -> list[int]:
    return [
        post(client, site, body(), key=f"{prefix}{number}").status_code for number in range(count)
    ]


@pytest.fixture
def counted(
    settings: Settings,
    database: Database,
    clock: Clock,
    site: Site,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[int], FlaskClient]:
    """A client so many of whose reports were counted in Redis, and not here because that was slow."""

    def counted(count: int) -> FlaskClient:
        while True:
            redis.stop()
            redis.start()
            forget(monkeypatch)
            client = client_with(settings, database, clock, redis)
            assert statuses(client, site, f"before-{time.monotonic_ns()}", count) == [201] * count
            if not limiter._storage_dead:
                return client

    return counted


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is waited for, however busy the machine is."""
    monkeypatch.setattr(limits, "SOCKET_SECONDS", PATIENCE)


@pytest.mark.usefixtures("patient")
def test_limit_is_shared_by_applications(
    settings: Settings, database: Database, clock: Clock, site: Site, redis: Redis
) -> None:
    first = client_with(settings, database, clock, redis)
    second = client_with(settings, database, clock, redis)
    assert statuses(first, site, "a", 3) + statuses(second, site, "b", 3) == [201] * 5 + [429]


@pytest.mark.usefixtures("patient")
def test_what_one_limit_refuses_the_longer_ones_do_not_count(
    settings: Settings, database: Database, clock: Clock, site: Site, redis: Redis
) -> None:
    client = client_with(settings, database, clock, redis, "4/minute;2/hour;9/day")
    app = client.application
    assert statuses(client, site, "a", 6) == [201] * 2 + [429] * 4
    parts, store = app.extensions["corrigenda"], limiter.storage
    with app.app_context():
        who = limits.key_of(parts, "127.0.0.1")
        counted = [
            store.get_moving_window(known.name_of(who), known.most, known.seconds)[1]
            for known in limiter.of(parts, *LIMITED)
        ]
    assert counted == [4, 2, 2]


def test_reader_is_told_to_wait_where_redis_goes_once_it_has_counted(
    counted: Callable[[int], FlaskClient], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = counted(5)

    def late(*_: object) -> None:
        raise RedisTimeoutError

    monkeypatch.setattr(limiter.storage, "get_moving_window", late)
    refused = post(client, site, body(), key="the sixth")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")


def test_store_that_another_request_found_gone_meanwhile_is_gone_for_this_one_too(
    counted: Callable[[int], FlaskClient], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = counted(1)

    def gone(*_: object, **__: object) -> None:
        monkeypatch.setattr(limiter, "_storage_dead", True)
        raise RedisTimeoutError

    monkeypatch.setattr(limiter.limiter, "hit", gone)
    monkeypatch.setattr(limiter.storage, "check", lambda: False)
    assert post(client, site, body(), key="second").status_code == 201


def strike(redis: Redis, fault: str) -> None:
    assert redis.process is not None
    if fault == "gone":
        redis.process.kill()
        redis.process.wait()
    else:
        os.kill(redis.process.pid, signal.SIGSTOP)


@pytest.mark.parametrize("fault", ["gone", "hanging"])
def test_limit_holds_without_redis_and_an_alert_is_logged(
    counted: Callable[[int], FlaskClient],
    database: Database,
    site: Site,
    redis: Redis,
    caplog: pytest.LogCaptureFixture,
    say: Say,
    fault: str,
) -> None:
    waited = []
    for number in range(TIMES):
        client = counted(1)
        strike(redis, fault)
        caplog.clear()
        began = time.perf_counter()
        first = statuses(client, site, f"first-{number}", 1)
        waited.append(time.perf_counter() - began)
        assert first + statuses(client, site, f"after-{number}", 5) == [201] * 5 + [429]
        assert any(
            "storage" in record.getMessage() and record.levelname in {"WARNING", "ERROR"}
            for record in caplog.records
        )
    middle, worst = (1000 * found for found in (statistics.median(waited), max(waited)))
    say(
        row(
            f"Redis {fault}, {store_of(database)} (first answer {middle:.0f} ms)",
            TIMES,
            0,
            0,
            worst / 1000,
        )
    )


@pytest.mark.parametrize("fault", ["gone", "hanging"])
def test_passwords_cannot_be_tried_without_redis(
    settings: Settings, database: Database, clock: Clock, redis: Redis, fault: str
) -> None:
    client = client_with(settings, database, clock, redis)
    strike(redis, fault)
    guess = {"email": "editor@news.example", "password": "guess"}
    tried = [client.post("/login", data=guess, headers=OURS).status_code for _ in range(12)]
    assert tried == [401] * 10 + [429] * 2


def test_limits_go_back_to_redis_when_it_is_there_again(
    counted: Callable[[int], FlaskClient], site: Site, redis: Redis
) -> None:
    client = counted(3)
    strike(redis, "hanging")
    assert statuses(client, site, "without", 1) == [201]
    assert redis.process is not None
    os.kill(redis.process.pid, signal.SIGCONT)

    def is_refused_there() -> bool:
        answers = statuses(client, site, f"again-{time.monotonic()}", 1)
        return not limiter._storage_dead and answers == [429]

    # Three were counted there before, and perhaps the one that it never answered.
    wait_until(is_refused_there, PATIENCE, "the limiter finds Redis and its counts again")
