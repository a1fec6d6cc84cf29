"""The receivers in docs/webhooks.md, run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.db import Database, new_id
from service.dispatch import webhooks
from service.dispatch.client import Client
from service.dispatch.worker import Worker
from service.models import DeliveryState, Webhook
from service.settings import Settings
from tests.conftest import missing
from tests.dispatch.conftest import Subscribe, Tell, state_of
from tests.servers import free_port, is_listening, wait_until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text()
SUFFIXES = {"python": ".py", "javascript": ".cjs", "php": ".php"}
KINDS = ["correction.created", "correction.accepted", "correction.fixed", "ping"]

Work = Callable[..., AbstractContextManager[Worker]]


def command(language: str, file: Path, port: int) -> list[str]:
    if language == "python":
        return [sys.executable, str(file)]
    program = shutil.which({"javascript": "node", "php": "php"}[language])
    if program is None:
        missing(f"no {language} here: its documented receiver is not run")
        raise AssertionError
    if language == "php":
        return [program, "-q", "-S", f"127.0.0.1:{port}", str(file)]
    if not (ROOT / "node_modules" / "standardwebhooks").is_dir():
        missing("the npm packages are not installed: the receiver in JavaScript is not run")
    return [program, str(file)]


class Documented:
    """One of the page's receivers as a process."""

    def __init__(self, language: str, folder: Path) -> None:
        [code] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
        self.file = folder / f"receiver{SUFFIXES[language]}"
        self.file.write_text(code)
        self.port = free_port()
        self.command = command(language, self.file, self.port)
        self.printed = folder / "printed"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self, secret: str) -> None:
        given = {"SECRET": secret, "PORT": str(self.port), "NODE_PATH": str(ROOT / "node_modules")}
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen(
                self.command, env={**os.environ, **given}, stdout=printed, stderr=subprocess.DEVNULL
            )
        wait_until(lambda: is_listening(self.port), 20, "the receiver listens")

    def lines(self) -> list[str]:
        return self.printed.read_text().splitlines()


@pytest.fixture(params=list(SUFFIXES))
def documented(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Documented]:
    made = Documented(request.param, tmp_path)
    yield made
    if made.process:
        made.process.kill()
        made.process.wait()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_receiver_takes_what_is_genuine(
    documented: Documented, subscribe: Subscribe, tell: Tell, work: Work, database: Database
) -> None:
    webhook = subscribe(documented.url)
    documented.start(webhook.secret)
    with database.write() as session:
        # The receiver keeps the old secret for now; the worker signs with both.
        kept = session.get_one(Webhook, webhook.id)
        webhooks.rotate_secret(session, kept, by="a", now=datetime.now(UTC))
    subject = new_id()
    told = [tell(kind, subject, words="“ї” 𝄞 </script>\u2028") for kind in KINDS[:-1]]
    with database.write() as session:
        kept = session.get_one(Webhook, webhook.id)
        told.append(webhooks.ping(session, kept, now=datetime.now(UTC)).event.id)
    with work():
        wait_until(lambda: len(documented.lines()) == 4, 20, "four lines are printed")
    printed = [f"{kind} {event_id}" for kind, event_id in zip(KINDS, told, strict=True)]
    assert sorted(documented.lines()) == sorted(printed)
    deliveries, _ = state_of(database)
    assert [one.state for one in deliveries] == [DeliveryState.DELIVERED] * 4


def test_receiver_refuses_what_is_not(
    documented: Documented, subscribe: Subscribe, settings: Settings
) -> None:
    documented.start(subscribe(documented.url).secret)
    client = Client(settings.webhook_allow_networks)
    now = str(int(datetime.now(UTC).timestamp()))
    for headers in (
        {"webhook-id": "x", "webhook-timestamp": now, "webhook-signature": "v1,bm90IGl0"},
        {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,bm90IGl0"},
        {},
    ):
        assert client.post(documented.url, b'{"type":"ping","data":{}}', headers).status == 401
    client.close()
    assert documented.lines() == []
