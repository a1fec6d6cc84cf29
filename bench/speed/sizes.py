"""Lists, search, counts and statistics as a site grows: whole requests, one after the other."""

import json
import os
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import quote

import psycopg
from sqlalchemy import select

from bench.speed import load, targets
from bench.speed.results import Results
from bench.speed.targets import Target, ratio
from bench.speed.times import Times
from service.db import Database
from service.desk import tallies
from service.models import Site
from tests.processes import Serving, run, run_json

ASKED = {
    "list": "/api/v1/corrections?limit=50",
    "list, deep": "/api/v1/corrections?limit=50&cursor={cursor}",
    "most reported": "/api/v1/corrections?limit=50&sort=most-reported",
    "search, a word of every eighth": "/api/v1/corrections?limit=50&q=library",
    "search, a word of every fiftieth": "/api/v1/corrections?limit=50&q=recieve",
    "search, a phrase of every two hundredth": (
        "/api/v1/corrections?limit=50&q=library%20keeps%20its%2017"
    ),
    "search, an address of a few": "/api/v1/corrections?limit=50&q={phrase}",
    "search, nothing": "/api/v1/corrections?limit=50&q=nowhere%20to%20be%20found",
    "statistics, a year": "/api/v1/stats?from={since}&to={until}",
}
PAGES_DEEP = 20
HOUR = 3600


def on_sqlite(results: Results, times: Times) -> None:
    """SQLite, growing."""
    with targets.folder() as data:
        told(results, times, "SQLite", grown(targets.settings(data / "site"), times))


def on_postgresql(results: Results, times: Times) -> None:
    """PostgreSQL, growing."""
    with targets.folder() as data, targets.postgresql() as url:
        if url:
            told(results, times, "PostgreSQL", grown(targets.settings(data / "site", url), times))
        else:
            results.heading("Growth on PostgreSQL", "PostgreSQL is not installed here.")


@dataclass(slots=True)
class Grown:
    """Milliseconds of each question at each size, and what was found beside them."""

    figures: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)
    """The same of the processor, which other work on the machine disturbs less."""
    rate: float = 0.0
    """Rows a second of what was seeded last."""
    effort: float = 0.0
    """The same by the processor time of the command alone."""
    beside: float = 0.0
    """The list at the largest size beside that at the smallest, asked in turn."""


def grown(env: dict[str, str], times: Times) -> Grown:
    """The figures at each size."""
    key, found, there = targets.site(env), Grown(), 0
    token = run_json(["token", "create", "--site", key, "--scope", "read"], env)["token"]
    first: dict[str, str] = {}
    for seed, size in enumerate(times.sizes):
        more = ["--corrections", str(size - there), "--random-seed", str(seed + 1)]
        found.rate, found.effort = seeded(["--site", key, *more], env)
        there = size
        for name, asking in asked(env, key, token, times.seconds).items():
            found.figures.setdefault(name, []).append(asking.milliseconds)
            found.processor.setdefault(name, []).append(asking.processor)
        first = first or copied(env)
    found.beside = in_turn(env, first, token, times)
    return found


def seeded(arguments: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seed; rows a second, and of the command's own processor time.

    PostgreSQL then goes through its tables at once, as by itself it does within minutes: it would
    do so in the middle of what is measured.
    """
    began = time.monotonic()
    done = run(["seed", *arguments], env, seconds=3 * HOUR)
    assert done.returncode == 0, done.stderr
    said = f"{done.stdout.strip()}; {time.monotonic() - began:.0f} s in all"
    print(f"  {said}", file=sys.stderr, flush=True)
    if url := env.get("CORRIGENDA_DATABASE_URL"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    rows, _, _, _, _, rate, _, busy, *_ = done.stdout.replace(",", "").split()
    return float(rate), float(rows) / float(busy)


def copied(env: dict[str, str]) -> dict[str, str]:
    """The settings of a copy of the database as it is now."""
    url = env.get("CORRIGENDA_DATABASE_URL")
    if url:
        with psycopg.connect(f"{url.rpartition('/')[0]}/template1", autocommit=True) as connection:
            name = url.rpartition("/")[2]
            connection.execute(f'CREATE DATABASE small TEMPLATE "{name}"')
        return {**env, "CORRIGENDA_DATABASE_URL": f"{url.rpartition('/')[0]}/small"}
    data = Path(env["CORRIGENDA_DATA_DIR"])
    small = data.with_name(f"{data.name}-small")
    small.mkdir()
    done = run(["backup", str(small / "corrigenda.db")], env)
    assert done.returncode == 0, done.stderr
    return {**env, "CORRIGENDA_DATA_DIR": str(small)}


def in_turn(large: dict[str, str], small: dict[str, str], token: str, times: Times) -> float:
    """The list of the large database beside that of the small one: both serve, asked in turn."""
    with Serving(large) as of_large, Serving(small) as of_small:
        asking = [
            Target(name, server.url, "get", [ASKED["list"], token], os.getpid())
            for name, server in (("list, large", of_large), ("list, small", of_small))
        ]
        targets.in_turn(asking, [1], 2 * times.rounds + 1, max(1, times.seconds // 2))
    return ratio(*asking, 1, "p50")


@dataclass(frozen=True, slots=True)
class Asking:
    """Milliseconds of a request: the median, and those of all processors of server and database."""

    milliseconds: float
    processor: float


def asked(env: dict[str, str], key: str, token: str, seconds: int) -> dict[str, Asking]:
    """What each question costs, and the counts."""
    found = {}
    with Serving(env, "serve", "--threads", "4") as server:
        assert server.process is not None
        pids = [server.process.pid, *database_of(env)]
        known = places(server.url, token)
        for name, path in ASKED.items():
            arguments, lasts = (path.format(**known), token), max(2, seconds // 2)
            load.run(server.url, "get", *arguments, connections=1, seconds=1)
            before = sum(map(targets.processor_of, pids))
            ran = load.run(server.url, "get", *arguments, connections=1, seconds=lasts)
            spent = sum(map(targets.processor_of, pids)) - before
            assert ran.refused == 0, (name, arguments)
            found[name] = Asking(ran.p50, 1e3 * spent / max(ran.rps * lasts, 1))
    counted = counts(env, key)
    found["counts"] = Asking(counted, counted)
    return found


def database_of(env: dict[str, str]) -> list[int]:
    """The process of the database server; none where it is a file."""
    url = env.get("CORRIGENDA_DATABASE_URL")
    if not url:
        return []
    with psycopg.connect(url) as connection:
        told = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    assert told is not None
    return [int(told[0].split()[0])]


def places(url: str, token: str) -> dict[str, str]:
    """A cursor far down the list, and words that few corrections have."""
    cursor, first = "", None
    for _ in range(PAGES_DEEP):
        path = f"{url}/api/v1/corrections?limit=50" + (f"&cursor={cursor}" if cursor else "")
        request = urllib.request.Request(path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            page = json.load(answer)
        first = first or page["items"][0]
        cursor = page["next"] or cursor
    assert first is not None
    year = time.gmtime().tm_year
    return {
        "cursor": cursor,
        "phrase": quote(first["article"]["url"].rsplit("/", 1)[-1]),
        "since": f"{year - 1}-01-01",
        "until": f"{year - 1}-12-31",
    }


def counts(env: dict[str, str], key: str) -> float:
    """The median of the counts of all tabs, in milliseconds, in a session of its own."""
    url = env.get("CORRIGENDA_DATABASE_URL")
    database = Database(url or f"sqlite:///{Path(env['CORRIGENDA_DATA_DIR']) / 'corrigenda.db'}")
    took = []
    with database.read() as session:
        site_id = session.scalars(select(Site.id).where(Site.key == key)).one()
        for _ in range(200):
            began = time.perf_counter()
            tallies.of_site(session, site_id)
            took.append((time.perf_counter() - began) * 1e3)
    database.dispose()
    return median(took)


def told(results: Results, times: Times, name: str, grown: Grown) -> None:
    """The table, the plot and the aims of one database."""
    sizes, found = [f"{size:,}" for size in times.sizes], grown.figures
    results.heading(
        f"Growth on {name}",
        "Milliseconds of a whole request (the median), by how many corrections the site has "
        "(`corrigenda seed`); counts alone, as the database answers them.",
    )
    results.table(("", *sizes), [[what, *figures] for what, figures in found.items()])
    results.text("Milliseconds of the processor for the same, of server and database together:")
    results.table(("", *sizes), [[what, *spent] for what, spent in grown.processor.items()])
    results.plot(f"growth-{name.lower()}", f"{name}: milliseconds by corrections", sizes, found)
    largest = sizes[-1]
    results.aim(
        f"API list at {largest} beside {sizes[0]}",
        "<= 1.2x",
        f"{grown.beside:.2f}x",
        holds=grown.beside <= 1.2,
    )
    counted = found["counts"][-1]
    results.aim(f"counts at {largest}", "<= 0.2 ms", f"{counted:.2f} ms", holds=counted <= 0.2)
    searched = [what for what in found if what.startswith("search")]
    slowest, spent = (max(of[what][-1] for what in searched) for of in (found, grown.processor))
    results.aim(
        f"search at {largest}, the slowest",
        "<= 50 ms",
        f"{slowest:.0f} ms, {spent:.0f} ms of the processor",
        holds=slowest <= 50,
    )
    results.aim(
        f"rows a second by `seed`, to {largest}",
        ">= 20,000",
        f"{grown.rate:,.0f}; {grown.effort:,.0f} by the command's own processor time",
        holds=grown.rate >= 20_000,
    )
