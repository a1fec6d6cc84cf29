import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.db import Database
from service.logs import JsonLines
from service.settings import Settings
from tests.conftest import make_database


def test_healthz_and_readyz(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "ready"})


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_readyz_names_a_database_without_tables(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, kind: str
) -> None:
    url = (
        f"sqlite:///{tmp_path / 'empty.db'}"
        if kind == "sqlite"
        else make_database(request.getfixturevalue("postgresql_server"))
    )
    database = Database(url)
    answer = create_app(settings, database).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["faults"][0].startswith("database: at revision None")
    database.dispose()


def test_readyz_names_a_disk_that_cannot_be_written(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    gone = replace(settings, data_dir=tmp_path / "gone")
    answer = create_app(gone, database).test_client().get("/readyz")
    assert (answer.status_code, answer.json["faults"]) == (503, ["disk: No such file or directory"])


def test_database_that_is_gone_is_503_with_retry(settings: Settings) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    client = create_app(settings, database).test_client()
    answer = client.get("/api/v1/sites/any/widget")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "5"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_probes_of_a_full_disk_are_not_left(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(path: Path, _: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert client.get("/readyz").json["faults"] == ["disk: No space left on device"]
    assert not [*settings.data_dir.glob(".probe-*")]


@pytest.mark.parametrize(
    "host", ["evil.example", "[::2]", "127.0.0.1.evil.example", "localhost:x", ""]
)
def test_foreign_host_header_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["[::1]:8000", "[::1]", "LOCALHOST:1", "127.0.0.1:80"])
def test_own_host_header_is_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_every_request_leaves_one_line_without_its_secret(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service.requests")
    answer = client.get("/api/v1/receipts/a-secret-link?x=another")
    [record] = [record for record in caplog.records if record.name == "service.requests"]
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "GET /api/v1/receipts/<token> 404"
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "secret" not in json.dumps(line)


def test_log_line_keeps_to_one_line() -> None:
    try:
        raise ValueError("first\r\nsecond")
    except ValueError:
        record = logging.LogRecord(
            "a", logging.ERROR, __file__, 1, 'x\n{"forged": 1}', None, sys.exc_info()
        )
    line = JsonLines().format(record)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == 'x\n{"forged": 1}'


def test_unknown_page_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    wrong = client.delete("/healthz")
    assert (wrong.status_code, wrong.json["status"]) == (405, 405)
    assert "GET" in wrong.headers["Allow"]
