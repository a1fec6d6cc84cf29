"""What is kept: no secret in plain, no address of a reader, no cookie for readers.

Every column of every table and every line of every log is searched after a run of real processes.
"""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import select

from service.db import Base, Database
from tests.conftest import ORIGIN, PASSWORD
from tests.processes import environment, run, run_json
from tests.security.live import AGENT, Logged, ask
from tests.security.tally import Tally
from tests.web.test_public import body

ROW = "tokens, privacy"

READER = "203.0.113.77"
READER_6 = "2001:db8:77:88:1:2:3:4"
NETWORKS = ("203.0.113.77", "203.0.113.", "2001:db8:77", "127.0.0.1")


def everything(url: str) -> dict[str, str]:
    """All that is in the database, by table and column, as text."""
    database = Database(url)
    with database.read() as session:
        found = {
            f"{table.name}.{column.name}": "\n".join(map(str, session.scalars(select(column))))
            for table in Base.metadata.sorted_tables
            for column in table.columns
        }
    database.dispose()
    return found


def test_nothing_that_was_secret_or_personal_is_kept(
    database_url: str, tmp_path: Path, tally: Tally
) -> None:
    env = environment(
        tmp_path,
        DATABASE_URL=database_url,
        TRUSTED_PROXIES="1",
        SECRET_KEY="the key that signs and hashes",
        REPORT_LIMITS="3/minute",
    )
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    token = run_json(["token", "create", "--site", key, "--scope", "read,review,admin"], env)[
        "token"
    ]
    added = run(
        ["editor", "create", "editor@news.example", "--site", key], env, stdin=PASSWORD + "\n"
    )
    assert added.returncode == 0, added.stderr
    bearer = {"Authorization": f"Bearer {token}"}
    with Logged(env) as server:
        api = f"{server.url}/api/v1"
        receipts, cookies = [], []
        for number in range(8):
            address = (READER, READER_6)[number % 2]
            status, answer, headers = ask(
                f"{api}/sites/{key}/reports",
                body(),
                Origin=ORIGIN,
                **{"Idempotency-Key": f"k{number}", "X-Forwarded-For": address},
            )
            assert status == (201 if number < 6 else 429)
            cookies += headers.get_all("Set-Cookie") or []
            if status == 201:
                receipts.append(json.loads(answer)["receipt_url"].rpartition("/")[2])
        for path in (f"sites/{key}/widget", f"receipts/{receipts[0]}"):
            cookies += (
                ask(f"{api}/{path}", **{"X-Forwarded-For": READER})[2].get_all("Set-Cookie") or []
            )
        cookies += ask(f"{server.url}/r/{receipts[0]}")[2].get_all("Set-Cookie") or []
        status, listed, _ = ask(f"{api}/corrections", **bearer)
        assert status == 200
        ask(f"{api}/corrections", Authorization=f"Bearer {token[:-1]}")
        status, hooked, _ = ask(
            f"{api}/webhooks",
            {"url": "https://203.0.114.1/hook", "headers": {"X-Key": "own-secret-value"}},
            **bearer,
        )
        assert status == 201
        secret = json.loads(hooked)["secret"]
        _, shown, _ = ask(f"{api}/webhooks", **bearer)
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        form = urllib.parse.urlencode(
            {"email": "editor@news.example", "password": PASSWORD}
        ).encode()
        opener.open(f"{server.url}/login", form, timeout=30).close()
        wrong = urllib.parse.urlencode(
            {"email": "editor@news.example", "password": "wrong-" + PASSWORD}
        )
        ask(
            f"{server.url}/login",
            wrong.encode(),
            **{"Content-Type": "application/x-www-form-urlencoded"},
        )
        session = next(cookie.value or "" for cookie in jar)
        token_of_forms = re.search(
            r'form_token" value="([^"]+)', opener.open(f"{server.url}/review").read().decode()
        )
        assert token_of_forms
    log = server.log.read_text()
    kept = everything(database_url)
    assert json.loads(listed)["items"][0]["report_count"] == 6

    secrets = {
        "API token": token,
        "session token": session,
        "form token": token_of_forms[1],
        "password": PASSWORD,
        "wrong password": "wrong-" + PASSWORD,
        "receipt": receipts[0],
        "another receipt": receipts[5],
        "secret key": "the key that signs and hashes",
    }
    for name, value in secrets.items():
        places = [place for place, text in kept.items() if value in text]
        tally.add((name, "database", places), held=places == [])
        tally.add((name, "log"), held=value not in log)
    # A webhook's secret has to be there to sign with, and its own headers to be sent.
    assert [place for place, text in kept.items() if secret in text] == ["webhooks.secret"]
    for name, value in {"webhook secret": secret, "own header": "own-secret-value"}.items():
        tally.add((name, "log"), held=value not in log)
        tally.add((name, "list"), held=value.encode() not in shown)
    for part in (*NETWORKS, AGENT, "Fingerprint", "tlh-x-klingon", "private=1"):
        # Webhooks may go to an address of their own.
        places = [place for place, text in kept.items() if part in text]
        tally.add((part, "database", places), held=places == [])
    for part in (*NETWORKS[:3], AGENT, "private=1", "editor@news.example", "utm_source"):
        tally.add((part, "log"), held=part not in log)
    tally.add(("cookies for readers", cookies), held=cookies == [])
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name not in {"secret_key", "log"}:
            content = file.read_bytes()
            found = [name for name, value in secrets.items() if value.encode() in content]
            tally.add((file.name, found), held=found == [])


OF_EDITORS = {"sessions.agent"}
"""An editor sees in which browsers they are signed in; no reader has a session."""


@pytest.mark.parametrize("columns", ["address", "ip", "agent", "fingerprint", "referer", "cookie"])
def test_no_column_is_there_for_it(columns: str, tally: Tally) -> None:
    names = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
    ]
    found = [
        name
        for name in names
        if re.search(rf"(^|[._]){columns}([._]|$)", name) and name not in OF_EDITORS
    ]
    tally.add((columns, found), held=found == [])
