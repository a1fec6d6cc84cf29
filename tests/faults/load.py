"""Readers that post without a pause from several threads, and remember what was acknowledged."""

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select

from service.db import Database
from service.desk import tallies
from service.models import Correction, Report, Site, State
from tests import summary
from tests.conftest import ORIGIN


def report(number: str) -> dict[str, Any]:
    """A report of one of twenty passages, so that corrections count several."""
    word = f"wrold{hash(number) % 20}"
    return {
        "target": {
            "source": f"{ORIGIN}/a",
            "selector": [{"type": "TextQuoteSelector", "exact": word, "prefix": "", "suffix": ""}],
        },
        "suggestion": f"world {number}",
    }


@dataclass
class Load:
    """What was sent: ids of the acknowledged reports, and every other status that came."""

    url: str
    key: str
    threads: int = 4
    acknowledged: set[str] = field(default_factory=set)
    refused: list[tuple[int, str | None, str]] = field(default_factory=list)
    broken: int = 0
    answered_at: float = 0.0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._running: list[threading.Thread] = []
        self._round = 0

    def __enter__(self) -> "Load":
        self._stop.clear()
        self._round += 1
        self._running = [
            threading.Thread(target=self._send, args=(f"{self._round}-{number}",))
            for number in range(self.threads)
        ]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._running:
            thread.join(60)
            assert not thread.is_alive()

    def _send(self, name: str) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            key = f"{name}-{number}"
            # A reader's widget keeps the draft, and sends it again under the same key.
            while not self.post(key) and not self._stop.is_set():
                time.sleep(0.02)

    def post(self, key: str) -> bool:
        """Send one report; whether it was acknowledged."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"Origin": ORIGIN, "Content-Type": "application/json", "Idempotency-Key": key}
        try:
            connection.request(
                "POST", f"/api/v1/sites/{self.key}/reports", json.dumps(report(key)), headers
            )
            with connection.getresponse() as answer:
                body = json.loads(answer.read())
                status, wait = answer.status, answer.headers["Retry-After"]
        except (OSError, http.client.HTTPException, ValueError):
            with self._lock:
                self.broken += 1
            return False
        finally:
            connection.close()
        with self._lock:
            if status == 201:
                self.acknowledged.add(body["id"])
                self.answered_at = time.monotonic()
            else:
                self.refused.append((status, wait, body.get("type", "")))
        return status == 201


def kept(database: Database) -> set[str]:
    """Ids of all reports that are there."""
    with database.read() as session:
        return {str(found) for found in session.scalars(select(Report.id))}


def check_counters(database: Database) -> None:
    """Every correction's counter equals its reports, numbered without a gap; every site's its corrections."""
    with database.read() as session:
        counted = dict(session.execute(select(Correction.id, Correction.report_count)).all())
        recounted = dict(
            session.execute(
                select(Report.correction_id, func.count()).group_by(Report.correction_id)
            ).all()
        )
        last = dict(
            session.execute(
                select(Report.correction_id, func.max(Report.ordinal)).group_by(
                    Report.correction_id
                )
            ).all()
        )
        standing = Counter(
            (site_id, "suspected" if suspected and state is not State.SPAM else state.value)
            for site_id, suspected, state in session.execute(
                select(Correction.site_id, Correction.suspected, Correction.state)
            )
        )
        tallied = {
            (site_id, tab): count
            for site_id in session.scalars(select(Site.id))
            for tab, count in tallies.of_site(session, site_id).counts.items()
            if count
        }
    assert counted == recounted == last
    assert tallied == dict(standing)


def check_integrity(database: Database) -> None:
    """SQLite's own check of its file; PostgreSQL has none."""
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def row(fault: str, times: int, lost: int, duplicates: int, seconds: float) -> str:
    """A line of the table of faults: how often, what was lost or came twice, seconds to recover."""
    return f"{fault:<50}{times:>6}{lost:>6}{duplicates:>12}{seconds:>10.1f} s{summary.OF_FAULTS}"


def store_of(database: Database) -> str:
    """The database's name in the table of faults."""
    return "SQLite" if database.is_sqlite else "PostgreSQL"
