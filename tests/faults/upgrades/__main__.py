"""Write down the data of a site that is in use, as this release keeps it: once at each release.

`python -m tests.faults.upgrades sqlite` (or postgresql) writes REVISION-STORE.sql beside this file.
"""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.db import Database, migrate
from tests.conftest import ORIGIN, make_database
from tests.dispatch.receivers import Receiver, running
from tests.processes import COMMAND, Serving, environment, run, run_json
from tests.security.attacked import call
from tests.servers import PostgreSQL, wait_until

WORDS = [
    "wrold",
    "бібліотека",
    "ليلة مطر",
    "夜のバス",
    "a\u0301 naïve 👩‍👩‍👧",
    "<b>bold</b> & 'quoted'",
]


def report(number: int, word: str) -> dict[str, Any]:
    quoted = {"type": "TextQuoteSelector", "exact": word, "prefix": "hello ", "suffix": " text"}
    position = {"type": "TextPositionSelector", "start": 6, "end": 6 + len(word)}
    return {
        "target": {
            "source": f"{ORIGIN}/{number % 3}?page=1",
            "canonical": f"{ORIGIN}/{number % 3}",
            "title": f"The {word} is late",
            "lang": "en",
            "selector": [quoted, position] if number % 5 else None,
        },
        "suggestion": f"{word} mended" if number % 5 else None,
        "comment": f"About “{word}”, for the {number}th time",
        "category": "typo",
        "email": f"reader{number}@mail.example",
        "website": "http://spam.example" if number == 7 else "",
    }


def fill(database_url: str, folder: Path) -> None:
    """Reports in several languages, decisions, a pushed article, webhooks that answer and that fail."""
    env = environment(
        folder,
        DATABASE_URL=database_url,
        REPORT_LIMITS="1000/minute",
        WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
        SECRET_KEY="a secret for tests",
    )
    assert run(["migrate"], env).returncode == 0
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    run_json(["site", "create", "The Other", "--origin", "https://other.example"], env)
    for email, role in (("editor@news.example", "editor"), ("admin@news.example", "admin")):
        made = ["editor", "create", email, "--site", key, "--role", role]
        assert run(made, env, stdin="a password for tests").returncode == 0
    scopes = "read,review,publish,admin"
    token = run_json(["token", "create", "--site", key, "--scope", scopes], env)["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    with ExitStack() as stack:
        answer = lambda got: (500 if got.path == "/fails" else 204, {})  # noqa: E731
        receiver = stack.enter_context(running(Receiver(answer)))
        server = stack.enter_context(Serving(env))
        stack.enter_context(worker(env))
        api = f"{server.url}/api/v1"
        for url in (receiver.url, receiver.url.replace("/hook", "/fails")):
            call(f"{api}/webhooks", "POST", {"url": url, "events": ["*"]}, **bearer)
        ids = []
        for number in range(12):
            headers = {"Origin": ORIGIN, "Idempotency-Key": f"key-{number}"}
            sent = report(number, WORDS[number % len(WORDS)])
            status, answer, _ = call(f"{api}/sites/{key}/reports", "POST", sent, **headers)
            assert status == 201, answer
            ids.append(answer["correction_id"])
        for number, to in enumerate(("accepted", "fixed", "rejected", "spam")):
            said = {"to": to, "reason": "seen", "public_note": f"Thank you, {WORDS[number]}"}
            call(f"{api}/corrections/{ids[number]}/moves", "POST", said, **bearer)
        call(f"{api}/corrections/{ids[3]}/moves", "POST", {"to": "new"}, **bearer)
        taken = {"assignee": "editor@news.example", "category": "fact"}
        call(f"{api}/corrections/{ids[4]}", "PATCH", taken, **bearer)
        text = {"url": f"{ORIGIN}/1", "title": "Later", "text": "hello бібліотека mended text"}
        call(f"{api}/articles", "PUT", text, **bearer)
        wait_until(lambda: len(receiver.got) > 20, 60, "events arrive")
        # What failed was tried once and waits for its next turn.
        time.sleep(2)


@contextmanager
def worker(env: dict[str, str]) -> Iterator[None]:
    """A `corrigenda worker` in a process of its own."""
    process = subprocess.Popen([COMMAND, "worker"], env=env)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def dump(database_url: str) -> str:
    """The rows as INSERT statements in an order that keys allow."""
    if database_url.startswith("sqlite"):
        file = database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as connection:
            lines = [
                line
                for line in connection.iterdump()
                if line.startswith("INSERT INTO") and '"alembic_version"' not in line
            ]
        return "\n".join(lines)
    command = ["pg_dump", "--data-only", "--inserts", "--exclude-table=alembic_version"]
    written = subprocess.run(
        [*command, "--dbname", database_url], capture_output=True, text=True, check=True
    ).stdout
    return "\n".join(
        line
        for line in written.splitlines()
        if line and not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog.set_config"))
    )


def main(store: str) -> None:
    """Fill a new database and write its rows down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = PostgreSQL() if store == "postgresql" else None
        url = f"sqlite:///{folder / 'corrigenda.db'}"
        if server:
            server.start()
            url = make_database(server.url())
        try:
            fill(url, folder)
            database = Database(url)
            revision = migrate.current(database)
            database.dispose()
            file = Path(__file__).with_name(f"{revision}-{store}.sql")
            file.write_text(dump(url) + "\n")
            print(f"{file}: {file.stat().st_size:,} bytes, {datetime.now(UTC):%Y-%m-%d}")
        finally:
            if server:
                server.remove()


if __name__ == "__main__":
    if sys.argv[1:] not in (["sqlite"], ["postgresql"]):
        sys.exit("Usage: python -m tests.faults.upgrades sqlite|postgresql")
    main(sys.argv[1])
