"""`kill -9` of the server while a content system applies a correction: nothing lost, nothing twice."""

import contextlib
import json
import re
import socket
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import update

from service.accounts import sites, tokens
from service.db import Database
from service.desk import changes
from service.dispatch import webhooks
from service.dispatch.applying import APPLY
from service.dispatch.webhooks import CheckedUrl
from service.models import Delivery, State
from tests.conftest import ORIGIN
from tests.dispatch.receivers import Misbehaving, misbehaving, read_request
from tests.processes import Serving, environment
from tests.reporting import report

SAYS = json.dumps({"result": "already_applied"}).encode()


def ask(url: str, token: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        asked = urllib.request.Request(url, b"{}", headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_killed_while_it_waits_is_asked_again_under_the_same_id(
    sqlite_url: str, tmp_path: Path
) -> None:
    database = Database(sqlite_url)
    now, got, reached = datetime.now(UTC), list[bytes](), threading.Event()

    def answer(server: Misbehaving, connection: socket.socket) -> None:
        got.append(read_request(connection))
        reached.set()
        if len(got) == 1:
            serving.kill()
        server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SAYS) + SAYS)

    with misbehaving(answer, reads=False) as cms:
        with database.write() as session:
            site = sites.create(session, "The Daily", [ORIGIN], now=now)
            _, token = tokens.create(session, site, ["review"], now=now)
            webhooks.create(session, site.id, CheckedUrl(cms.url), [APPLY], now=now)
        correction_id = report(database, site, now)
        env = environment(tmp_path, DATABASE_URL=sqlite_url, WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8")
        serving = Serving(env)
        url = f"{serving.url}/api/v1/corrections/{correction_id}/apply"
        with serving:
            with contextlib.suppress(OSError):
                ask(url, token)
            assert reached.is_set()
            serving.start()
            with database.read() as session:
                assert changes.find(session, site.id, correction_id).state is State.ACCEPTED
            assert ask(url, token)[0] == 409
            with database.write() as session:
                session.execute(update(Delivery).values(leased_until=now))
            status, told = ask(url, token)
    assert (status, told["result"]) == (200, "already_applied")
    assert told["correction"]["state"] == "fixed"
    ids = [re.findall(rb"webhook-id: (\S+)", request) for request in got]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    database.dispose()
