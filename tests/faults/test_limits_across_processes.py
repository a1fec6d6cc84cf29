"""Several serving processes share one limit, to the report."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import ORIGIN, Say, missing
from tests.processes import environment, run_json
from tests.security.live import Logged
from tests.servers import MISSING_REDIS, Redis
from tests.web.test_public import body

HICCUP = "falling back to in-memory"
"""In the log of a process for which Redis was too slow: it counts alone for a while."""
ATTEMPTS = 3

PROCESSES = 3
LIMIT = 5
POSTS = 60


def post(url: str, key: str, number: int) -> int:
    request = urllib.request.Request(
        f"{url}/api/v1/sites/{key}/reports",
        data=json.dumps(body()).encode(),
        headers={
            "Origin": ORIGIN,
            "Content-Type": "application/json",
            "Idempotency-Key": str(number),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def test_exactly_the_limit_passes_through_several_processes(
    database_url: str, tmp_path: Path, say: Say
) -> None:
    if Redis.binary() is None:
        missing(MISSING_REDIS)
    for attempt in range(ATTEMPTS):
        answers, logs = at_once(database_url, tmp_path / str(attempt))
        if HICCUP not in logs:
            break
    assert (answers.count(201), answers.count(429)) == (LIMIT, POSTS - LIMIT), logs
    store = database_url.partition(":")[0]
    say(
        f"limits, {store}: {PROCESSES} processes, a limit of {LIMIT}, {POSTS} posts at once: {answers.count(201)} accepted"
    )


def at_once(database_url: str, folder: Path) -> tuple[list[int], str]:
    """What so many posts are answered, and what the processes logged."""
    redis = Redis()
    redis.start()
    folder.mkdir()
    env = environment(
        folder,
        DATABASE_URL=database_url,
        REDIS_URL=redis.url(),
        REPORT_LIMITS=f"{LIMIT}/minute",
        SECRET_KEY="one for all",
    )
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    with ExitStack() as stack:
        stack.callback(redis.stop)
        servers = []
        for number in range(PROCESSES):
            own = folder / str(number)
            own.mkdir()
            servers.append(
                stack.enter_context(Logged({**env, "CORRIGENDA_DATA_DIR": str(own)}, "serve"))
            )
        with ThreadPoolExecutor(20) as pool:
            answers = list(
                pool.map(lambda n: post(servers[n % PROCESSES].url, key, n), range(POSTS))
            )
    return answers, "".join(server.log.read_text() for server in servers)
