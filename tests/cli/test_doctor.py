import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.accounts import sites
from service.cli.doctor import databases, examine, storage
from service.cli.doctor.findings import Level
from service.db import Database, engines
from service.dispatch import webhooks
from service.dispatch.webhooks import CheckedUrl
from service.models import Event
from tests.browser.servers import serving
from tests.processes import Serving, environment, run
from tests.servers import free_port


def found(env: dict[str, str], expected: int = 0) -> dict[str, dict[str, str]]:
    """The doctor's findings by what they are about."""
    done = run(["doctor", "--json"], env)
    assert (done.returncode, done.stderr) == (expected, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if line["level"] != "ok" and not line["advice"]] == []
    return {line["about"]: line for line in lines}


def levels(env: dict[str, str], expected: int = 0) -> dict[str, str]:
    return {about: finding["level"] for about, finding in found(env, expected).items()}


@pytest.fixture
def env(tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    """A healthy installation on SQLite, not served."""
    port = free_port()
    return environment(tmp_path, DATABASE_URL=sqlite_url, PUBLIC_URL=f"http://127.0.0.1:{port}")


@contextmanager
def public(forwarded: object) -> Iterator[str]:
    """An address that answers as a service that saw so many proxies."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "ready", "forwarded": forwarded}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def test_doctor_finds_nothing_wrong_with_a_service_that_runs(env: dict[str, str]) -> None:
    with Serving(env, port=int(env["CORRIGENDA_PUBLIC_URL"].rpartition(":")[2])):
        assert levels(env) == {
            "disk": "ok",
            "database": "ok",
            "limits": "ok",
            "public URL": "warning",
            "proxies": "ok",
        }


def test_doctor_says_in_words_what_to_do(env: dict[str, str]) -> None:
    done = run(["doctor"], {**env, "CORRIGENDA_PUBLIC_URL": "http://news.example"})
    assert done.returncode == 1
    assert "fault    public URL: http://news.example is not TLS" in done.stdout
    assert "Put a proxy with a certificate in front" in done.stdout


def test_doctor_finds_a_database_that_was_never_migrated(tmp_path: Path) -> None:
    finding = found(environment(tmp_path), 1)["database"]
    assert finding["level"] == "fault"
    assert finding["advice"].startswith("corrigenda migrate")


def test_doctor_finds_a_database_of_a_newer_release(env: dict[str, str], sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    finding = found({**env, "CORRIGENDA_DATABASE_URL": sqlite_url}, 1)["database"]
    assert (finding["level"], "of a newer release" in finding["says"]) == ("fault", True)
    assert finding["advice"].startswith("Run the release")


def test_doctor_finds_a_database_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    assert found(environment(tmp_path, DATABASE_URL=url), 1)["database"]["level"] == "fault"


def test_doctor_finds_a_bad_setting(tmp_path: Path) -> None:
    assert levels(environment(tmp_path, TRUSTED_PROXIES="two"), 1) == {"settings": "fault"}


def test_doctor_finds_a_folder_that_cannot_be_written(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "file").write_text("")
    blocked = {
        **env,
        "CORRIGENDA_SECRET_KEY": "kept elsewhere",
        "CORRIGENDA_DATA_DIR": str(tmp_path / "file" / "data"),
    }
    assert found(blocked, 1)["disk"]["level"] == "fault"


def test_doctor_finds_a_disk_that_is_nearly_full(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(env["CORRIGENDA_DATA_DIR"]).free
    monkeypatch.setattr(storage, "LEAST_FREE_BYTES", free * 2)
    assert examined(env, monkeypatch)["disk"] == "warning"


def test_doctor_finds_an_old_sqlite(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SAFE_SQLITE", (99, 0, 0))
    assert sqlite3.sqlite_version_info < (99, 0, 0)
    assert examined(env, monkeypatch)["SQLite"] == "warning"


def examined(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The levels found in this process."""
    for name, value in env.items():
        if name.startswith("CORRIGENDA_"):
            monkeypatch.setenv(name, value)
    looked_at = list(examine())
    assert [each for each in looked_at if each.level is not Level.OK and not each.advice] == []
    return {finding.about: finding.level.value for finding in looked_at}


def test_doctor_finds_a_secret_that_others_can_read(tmp_path: Path, env: dict[str, str]) -> None:
    assert "secret key" not in found(env)
    key = tmp_path / "secret_key"
    key.chmod(0o644)
    finding = found(env)["secret key"]
    assert finding["level"] == "warning"
    assert finding["advice"] == f"chmod 600 {key}"
    assert os.stat(key).st_mode & 0o077


@pytest.mark.parametrize(
    "key", ["changeme", "Secret", "a secret of mine", "x" * 64, "12345678" * 2]
)
def test_doctor_finds_a_secret_that_can_be_guessed(env: dict[str, str], key: str) -> None:
    finding = found({**env, "CORRIGENDA_SECRET_KEY": key}, 1)["secret key"]
    assert finding["level"] == "fault"
    assert "openssl rand -base64 48" in finding["advice"]
    assert key not in json.dumps(finding)


def test_doctor_finds_a_password_that_everybody_knows(tmp_path: Path) -> None:
    server = f"postgresql://corrigenda:%s@127.0.0.1:{free_port()}/none"
    known = environment(tmp_path, DATABASE_URL=server % "postgres")
    assert found(known, 1)["database password"]["level"] == "fault"
    own = environment(tmp_path, DATABASE_URL=server % "b0f3a1c94d7e")
    assert "database password" not in found(own, 1)


def test_doctor_finds_nothing_about_the_secrets_that_are_made(env: dict[str, str]) -> None:
    assert {"secret key", "database password"}.isdisjoint(found(env))


@pytest.mark.parametrize(("seconds", "which"), [(-90, "ahead of"), (90, "behind")])
def test_doctor_finds_clocks_that_differ(postgresql_url: str, seconds: int, which: str) -> None:
    opened = Database(postgresql_url)
    [finding] = databases.skew(opened, lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    assert list(databases.skew(opened, lambda: datetime.now(UTC))) == []
    opened.dispose()
    assert finding.level is Level.WARNING
    assert finding.about == "clock"
    assert f"seconds {which} this machine's" in finding.says
    assert finding.advice == "Let both keep time by NTP: timedatectl set-ntp true"


def test_doctor_finds_limits_that_each_process_keeps_for_itself(
    tmp_path: Path, postgresql_url: str
) -> None:
    assert found(environment(tmp_path, DATABASE_URL=postgresql_url))["limits"]["level"] == "warning"


def test_doctor_finds_a_redis_that_does_not_answer(env: dict[str, str]) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    assert found({**env, "CORRIGENDA_REDIS_URL": url})["limits"]["level"] == "warning"


def test_doctor_finds_that_nobody_delivers(env: dict[str, str], sqlite_url: str) -> None:
    assert "deliveries" not in found(env)
    database = Database(sqlite_url)
    now = datetime.now(UTC)
    with database.write() as session:
        site = sites.create(session, "The Daily", ["https://news.example"], now=now)
        for minutes in (0, 5):
            created_at = now - timedelta(minutes=minutes)
            session.add(
                Event(
                    site_id=site.id, type="ping", subject_id=site.id, data={}, created_at=created_at
                )
            )
    database.dispose()
    assert found(env)["deliveries"]["says"] == "1 events have waited for more than 2 minutes"


def test_doctor_finds_deliveries_that_wait_and_webhooks_that_fail(
    env: dict[str, str], sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    now = datetime.now(UTC)
    with database.write() as session:
        site = sites.create(session, "The Daily", ["https://news.example"], now=now)
        webhook = webhooks.create(
            session, site.id, CheckedUrl("https://a.example/"), ["*"], now=now
        )
        delivery = webhooks.ping(session, webhook, now=now).delivery
        delivery.next_attempt_at = now - timedelta(minutes=7)
        webhook.failing_since = now
    database.dispose()
    findings = found(env)
    assert findings["deliveries"]["says"] == "1 are waiting, the oldest due for 7 minutes"
    assert findings["webhooks"]["says"] == "1 fail, 0 are switched off"
    assert "corrigenda deliveries list" in findings["webhooks"]["advice"]


@pytest.mark.parametrize(
    ("forwarded", "trusted", "level", "advice"),
    [
        (0, "0", "ok", ""),
        (1, "1", "ok", ""),
        (1, "0", "fault", "If all of them are yours: CORRIGENDA_TRUSTED_PROXIES=1"),
        (0, "1", "fault", "CORRIGENDA_TRUSTED_PROXIES=0"),
        (1, "2", "fault", "CORRIGENDA_TRUSTED_PROXIES=1"),
        (None, "0", "warning", "Start the service"),
    ],
)
def test_doctor_compares_the_proxies_with_those_that_are_trusted(
    env: dict[str, str], forwarded: Any, trusted: str, level: str, advice: str
) -> None:
    with public(forwarded) as url:
        asked = {**env, "CORRIGENDA_PUBLIC_URL": url, "CORRIGENDA_TRUSTED_PROXIES": trusted}
        finding = found(asked, expected=int(level == "fault"))["proxies"]
    assert finding["level"] == level
    assert finding["advice"].startswith(advice)


def test_doctor_says_when_the_public_url_does_not_answer(env: dict[str, str]) -> None:
    assert found(env)["proxies"]["level"] == "warning"


def test_doctor_finds_a_search_without_its_index(env: dict[str, str], sqlite_url: str) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'documents_index'")
    connection.close()
    finding = found(env)["search"]
    assert finding["level"] == "warning"
    assert "CREATE EXTENSION pg_trgm" in finding["advice"]
