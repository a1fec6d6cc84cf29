"""Which server: our event loop, gunicorn's threads, granian, waitress with one application."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.speed import targets
from bench.speed.results import Results
from bench.speed.targets import Target, ratio
from bench.speed.times import Times
from tests.processes import Serving

RIVALS = ("granian==2.8.7", "waitress==3.0.2")
APP, SERVED = "bench.speed.application:app", "bench.speed.application:served"


def measure(results: Results, times: Times) -> None:
    """Reports and small answers by each server, with one process."""
    results.heading(
        "Server",
        "The same application (SQLite), one process, nothing handed out: as `corrigenda serve` "
        f"runs it, an event loop that takes reports itself, and by {targets.THREADS} threads of "
        "WSGI servers. Reports at 32 connections; `GET /healthz`, which is next to nothing, at 32.",
    )
    home = rivals()
    with ExitStack() as stack:
        data = stack.enter_context(targets.folder())
        found = [
            one for name, argv in commands(home).items() for one in [start(stack, data, name, argv)]
        ]
        reading = [Target(one.name, one.url, "get", ["/healthz"], one.pid) for one in found]
        targets.in_turn(found, [32], times.rounds, times.seconds)
        ours, argument = found[0], "/static/widget.js"
        widget = Target("widget.js", ours.url, "get", [argument], ours.pid)
        targets.in_turn([*reading, widget], [32], times.rounds, times.seconds)
    rows = [
        [one.name, one.middle(32).rps, ratio(one, found[0], 32), one.middle(32).p99,
         got.middle(32).rps, ratio(got, reading[0], 32), one.memory]
        for one, got in zip(found, reading, strict=True)
    ]  # fmt: skip
    header = (
        "",
        "reports/s",
        "beside the first",
        "p99, ms",
        "GET/s",
        "beside the first",
        "PSS, MiB",
    )
    results.table(header, rows)
    served = ratio(widget, reading[0], 32)
    results.aim(
        "widget.js beside `GET /healthz` of the same server",
        ">= 0.8",
        f"{served:.2f}",
        holds=served >= 0.8,
    )
    first = first_answer()
    results.aim("from exec to the first answer", "<= 1 s", f"{first:.2f} s", holds=first <= 1)


def first_answer() -> float:
    """Seconds from starting `serve` on a migrated database to its first answer; the median of 3."""
    took = []
    with targets.folder() as data:
        env = targets.settings(data)
        targets.site(env)
        for _ in range(3):
            server = Serving(env)
            began = time.monotonic()
            server.start()
            took.append(time.monotonic() - began)
            server.stop()
    return median(took)


def rivals() -> Path:
    """Where the other servers are installed, beside our own environment's packages."""
    home = targets.KEPT / "servers"
    if not (home / "granian").exists():
        argv = [sys.executable, "-m", "pip", "install", "-q", "--target", str(home), *RIVALS]
        subprocess.run(argv, check=True)
    return home


def commands(home: Path) -> dict[str, list[str]]:
    """Each server's command line."""
    threads = targets.THREADS
    granian = (
        f"--interface wsgi --host 127.0.0.1 --port PORT --workers 1 --blocking-threads {threads}"
    )
    waitress = (
        f"--listen=127.0.0.1:PORT --threads={threads} --connection-limit=1000"
        " --no-clear-untrusted-proxy-headers"
    )
    return {
        "gunicorn, our loop": targets.gunicorn(SERVED, kind=targets.LOOP),
        "gunicorn, gthread": targets.gunicorn(APP),
        "granian": [sys.executable, "-m", "granian", *granian.split(), "--no-log", APP],
        "waitress": [sys.executable, "-m", "waitress", *waitress.split(), APP],
    }


def start(stack: ExitStack, data: Path, name: str, argv: list[str]) -> Target:
    """One server with a fresh database."""
    env = targets.settings(data / name.replace(" ", ""))
    key = targets.site(env)
    path = f"{Path.cwd()}:{targets.KEPT / 'servers'}"
    return stack.enter_context(targets.wsgi(name, argv, {**env, "PYTHONPATH": path}, key))
