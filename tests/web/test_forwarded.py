import logging

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.db import Database
from service.settings import Settings


@pytest.mark.parametrize(
    ("header", "count"),
    [(None, 0), ("203.0.113.9", 1), ("203.0.113.9, 198.51.100.2", 2), ("", 0)],
)
def test_readyz_counts_the_proxies_when_asked(
    client: FlaskClient, header: str | None, count: int
) -> None:
    headers = {} if header is None else {"X-Forwarded-For": header}
    assert client.get("/readyz?forwarded", headers=headers).json == {
        "status": "ready",
        "forwarded": count,
    }
    assert client.get("/readyz", headers=headers).json == {"status": "ready"}


def test_forwarded_headers_that_are_ignored_are_warned_of_once(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    client = create_app(settings, database).test_client()
    with caplog.at_level(logging.WARNING, "service.web.ops"):
        client.get("/healthz")
        assert caplog.messages == []
        for _ in range(3):
            client.get("/healthz", headers={"X-Forwarded-For": "203.0.113.9"})
    assert caplog.messages == [
        "forwarded headers are ignored: is CORRIGENDA_TRUSTED_PROXIES 0 right?"
    ]
