"""Two editors decide at once: one wins, the other is told who did what; real servers, both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from service.db import Database
from service.models import Event, Move
from tests.conftest import ORIGIN, Say
from tests.faults.load import report, row, store_of
from tests.processes import Serving, environment, run_json
from tests.security.attacked import call

TIMES = 12
DESKS = ("the first desk", "the second desk")


def make_token(env: dict[str, str], key: str, name: str) -> dict[str, str]:
    scopes = ["--scope", "read,review", "--name", name]
    made = run_json(["token", "create", "--site", key, *scopes], env)
    return {"Authorization": f"Bearer {made['token']}"}


def test_one_wins_and_the_other_is_told_who_did_what(
    database_url: str, database: Database, tmp_path: Path, say: Say
) -> None:
    env = environment(
        tmp_path,
        DATABASE_URL=database_url,
        REPORT_LIMITS="1000/minute",
        SECRET_KEY="one for both",
    )
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    editors = [make_token(env, key, name) for name in DESKS]
    with ExitStack() as stack:
        # A process each: no lock of one process decides.
        servers = [stack.enter_context(Serving(env)) for _ in editors]
        for number in range(TIMES):
            posted = f"{servers[0].url}/api/v1/sites/{key}/reports"
            asked = {"Origin": ORIGIN, "Idempotency-Key": str(number)}
            sent = report(str(number))
            sent["target"]["selector"][0]["exact"] = f"wrold number {number}"
            made = call(posted, "POST", sent, **asked)[1]["correction_id"]
            path = f"/api/v1/corrections/{made}/moves"
            answers = at_once([server.url + path for server in servers], editors)
            [won] = [moved for status, moved, _ in answers if status == 200]
            [(_, lost, _)] = [answer for answer in answers if answer[0] == 409]
            winner = call(servers[0].url + path.removesuffix("/moves"), **editors[0])[1]
            assert winner["state"] == won["state"] == "rejected"
            assert "rejected" in lost["detail"]
            assert [name in lost["detail"] for name in DESKS].count(True) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Move)) == TIMES
        told = select(func.count()).where(Event.type == "correction.rejected")
        assert session.scalar(told) == TIMES
    say(row(f"two editors at once, {store_of(database)}", TIMES, 0, 0, 0))


def at_once(urls: list[str], editors: list[dict[str, str]]) -> list[tuple[int, Any, str]]:
    """Both reject the same correction, as nearly at one moment as two threads can."""
    barrier = threading.Barrier(len(urls))

    def decide(number: int) -> tuple[int, Any, str]:
        barrier.wait()
        return call(urls[number], "POST", {"to": "rejected"}, **editors[number])

    with ThreadPoolExecutor(len(urls)) as pool:
        return list(pool.map(decide, range(len(urls))))
