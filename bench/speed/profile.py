"""Where the CPU time of one report goes: `python -m bench.speed.profile [--database URL]`.

The application is called in this process, without a socket, in turn with the ceiling. CPU time
tells more than a clock on a machine that others use too; calls and statements never change.
"""

import argparse
import cProfile
import io
import logging
import os
import pstats
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.speed import ceiling
from bench.speed.reports import ORIGIN, body
from bench.speed.results import Results
from bench.speed.times import Times
from service import settings as settings_module
from service.accounts import sites
from service.app import create_app, utc_now
from service.db import Database, Prepared, migrate
from service.intake import Submission, submit_all
from service.web import bodies
from service.web.schemas import ReportIn

ROOMS = {
    "the database's driver": ("pysqlite3", "psycopg"),
    "SQLAlchemy": ("sqlalchemy/",),
    "checking what came in": ("marshmallow/", "webargs/", "flask_smorest/", "web/schemas.py"),
    "limits": ("flask_limiter/", "limits/", "web/limits.py", "web/windows.py"),
    "Flask and Werkzeug": ("flask/", "werkzeug/", "jinja2/"),
    "intake, its statements prepared": ("service/intake", "service/db", "service/events.py",
        "service/documents.py", "service/snapshots.py", "service/text", "service/hashing.py"),
    "the rest of our web": ("service/",),
}  # fmt: skip
"""Parts of the paths by which own time is told apart; the first that fits."""
BATCH = 10
GROUP = 16
"""So many reports wait for each other where all threads are busy."""

Post = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Profile:
    """One report: microseconds of CPU, how many times the ceiling's, calls, and shares by room."""

    microseconds: float
    in_statements: float
    """Of these within prepared statements: what goes in, the database, what comes out."""
    times_ceiling: float
    together: float
    """Of intake alone, for each of a group."""
    calls: float
    statements: float
    rooms: dict[str, float]


def caller(url: str | None, folder: str) -> tuple[Post, Database]:
    """A function that posts one report to a fresh site, and its database."""
    settings = settings_module.read(
        {
            "CORRIGENDA_DATA_DIR": folder,
            "CORRIGENDA_TRUSTED_PROXIES": "1",
            "CORRIGENDA_REPORT_LIMITS": "1000/minute",
            **({"CORRIGENDA_DATABASE_URL": url} if url else {}),
        }
    )
    database = Database(settings.database_url)
    migrate.upgrade(database)
    with database.write() as session:
        key = sites.create(session, f"News {uuid.uuid4().hex[:6]}", [ORIGIN], now=utc_now()).key
    logging.disable(logging.INFO)
    return to(create_app(settings, database), key), database


def to(app: Any, key: str) -> Post:
    """A function that posts one report to an application."""

    def post() -> None:
        sent, answered = body(), list[str]()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"/api/v1/sites/{key}/reports",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(sent),
            "CONTENT_LENGTH": str(len(sent)),
            "CONTENT_TYPE": "application/json",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ORIGIN": ORIGIN,
            "HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex,
            "HTTP_X_FORWARDED_FOR": "10." + ".".join(str(part) for part in os.urandom(3)),
        }
        content = b"".join(app(environ, lambda status, *_: answered.append(status)))
        assert answered == ["201 CREATED"], content

    return post


def together(database: Database, number: int) -> float:
    """Microseconds of CPU that intake takes for each of GROUP reports; the median of groups."""
    with database.write() as session:
        site = sites.create(session, f"News {uuid.uuid4().hex[:6]}", [ORIGIN], now=utc_now())
    schema, took = ReportIn(), []
    for _ in range(max(10, number // GROUP)):
        given = [
            Submission(site, schema.load(bodies.parse(body())), uuid.uuid4().hex, "s", utc_now(),
                       "10." + ".".join(str(part) for part in os.urandom(3)))
            for _ in range(GROUP)
        ]  # fmt: skip
        began = time.process_time()
        with database.write() as session:
            submit_all(session, given)
        took.append(time.process_time() - began)
    return median(took) / GROUP * 1e6


def spent(post: Post) -> float:
    """Microseconds of CPU a call, over a batch."""
    began = time.process_time()
    for _ in range(BATCH):
        post()
    return (time.process_time() - began) / BATCH * 1e6


def profiled(url: str | None, number: int) -> Profile:
    """Take so many reports, then as many under the profiler."""
    with tempfile.TemporaryDirectory() as folder:
        post, database = caller(url, folder)
        nothing = to(ceiling.app, "x")
        for _ in range(50):
            post(), nothing()
        pairs = [(spent(post), spent(nothing)) for _ in range(max(1, number // BATCH))]
        in_statements = within_statements(post, number)
        in_groups = together(database, number)
        profile = cProfile.Profile(time.process_time)
        profile.enable()
        for _ in range(number):
            post()
        profile.disable()
        database.dispose()
    found: Any = pstats.Stats(profile)
    own, statements = dict.fromkeys([*ROOMS, "Python itself"], 0.0), 0
    for (file, _line, name), (_, calls, seconds, _, _) in found.stats.items():
        own[room(f"{file} {name}")] += seconds
        if name.startswith("<method 'execute") or (
            "psycopg/cursor.py" in file and "execute" in name
        ):
            statements += calls
    return Profile(
        median(one for one, _ in pairs),
        in_statements,
        median(one / other for one, other in pairs),
        in_groups,
        found.total_calls / number,
        statements / number,
        {name: seconds / found.total_tt for name, seconds in own.items()},
    )


def within_statements(post: Post, number: int) -> float:
    """Microseconds of CPU a report within prepared statements, without a profiler's weight."""
    spent = [0.0]

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            began = time.process_time()
            try:
                return method(*arguments)
            finally:
                spent[0] += time.process_time() - began

        return call

    plain = {name: getattr(Prepared, name) for name in ("run", "all_for")}
    for name, method in plain.items():
        setattr(Prepared, name, timed(method))
    try:
        for _ in range(number):
            post()
    finally:
        for name, method in plain.items():
            setattr(Prepared, name, method)
    return spent[0] / number * 1e6


def room(where: str) -> str:
    """Whose code it is."""
    for name, parts in ROOMS.items():
        if any(part in where for part in parts):
            return name
    return "Python itself"


WHY = """\
Where an aim is not reached, the profile says why: no part rules any more. Under 32 connections a
report takes 0.65 to 0.75 ms of the loop's thread: six tenths of it is its group (a quarter of that
the commit, two fifths statements in the database's own code, the rest Python), two tenths limits,
checks and the answer, the rest reading, parsing and sending. 0.1 ms more it waits for the disk: a
report writes eleven pages, most of them of indexes by what nobody can foretell (its network, its
comment, its key, its article). At 8 connections it takes 0.8 to 0.9 ms: what a group costs once,
about a millisecond, has fewer to share it; three times isso's reports would be 0.7 ms for all.

What was tried in the order of what the profile showed, and kept: statements without objects
(SQLAlchemy's ORM took half of a report: intake's statements are compiled once and run by the
driver); group commit; one statement for all reports of a group (1.3 to 0.4 ms each; on PostgreSQL
1.9 to 0.5); limits written out and every prepared statement kept (SQLite planned anew what it had
planned: 0.62 to 0.44 ms); limits asked for directly, bodies that are right taken at once (0.75 to
0.4 ms at the door); one look-up for what was asked several times; a site known for a second; the
worker's looks by prepared statements (a fifth to a twentieth of the process). Then, since threads
handed Python's lock over 33 times a report, one thread for reports (ADR 6: 2.4 to 1.3 ms, 1.7 to
1.9 times the reports); fewer searches for garbage (after 20,000 reports 1.5 to 1.2 ms); the hour
under way left out of the statistics that are added up ahead (each time it held all reports up for
half a second). Then what is right past Flask (ADR 7: 0.245 to 0.11 ms at the door, 1.15 times the
reports); receipts that stand side by side in their index and an index less (14.3 to 11.4 pages a
report, 1.05 times); SQLite's log emptied by a thread (1.1 times; while reports took longer it had
been 3 %); one statement for any group of up to eight. Then events that nobody listens to wait for
nobody, and the worker that they wake looks ever more rarely (1.03 to 1.06 times). Then many small
things at once (1.14 times the reports at 8 connections, 1.19 at 32): JSON by orjson (a tenth of the
time), an instant spelled once for all rows it goes into, a text of ASCII alone spelled at once (23
to 5 microseconds), bodies that are right taken field by field (52 to 30).

On PostgreSQL, with the statistics that it has in service: a group's look-ups by lists, where each
report had been a branch of one statement, planned and set up anew (1.35 times the reports, its own
processor time from 1.05 to 0.5 ms a report); one call of Redis for all limits (1.07); plans that
are kept, on a connection of the groups' own (1.07 with one process, 1.13 with two).

Why two processes are not 1.6 of one: one process, PostgreSQL and the load take one core together,
in turns. Two would have two cores, if a report cost them no more; but each has half of the
reports, and so groups of half the size, and what a group costs once, 1.6 ms of the process and
as much of PostgreSQL, has half as many to share it.

Why a phrase that every two hundredth correction has takes 72 ms on PostgreSQL and 40 on SQLite: a
page of them is spread over the documents of some twenty thousand corrections, which are read one
after the other, about 1.7 microseconds each; the index of trigrams leads to five thousand rows all
over the table, and takes longer. Tried: fewer rows than twice a page (none: several documents of
one correction have the phrase), each correction once (1.3 to 1.7 times the time).

Tried and not kept: with threads, another switch interval (0.001, 0.05), 8 and 32 of them, granian
(a fifth less CPU, but it loses headers: ADR 5), no main thread (0.91 of the time at 8 connections,
0.99 at 32), holding the process on one core (a tenth more reports, but it would decide for the
machine). With the loop: uvicorn with httptools, and with uvloop too (1.00 times the reports at 8
connections, 1.08 at 32), groups in a thread beside it (0.8 of the reports), only their commits in a
thread while others come in (0.96), Gunicorn's parser in C (1.04 and 0.99: parsing is 0.03 ms),
pages of 2 or 8 KiB (none), events handed out twice a second (1.02, and later webhooks), fewer
merges of the search index (none), no index of search at all (1.00 at 8 connections, 1.02 at 32), a
larger page cache (none), the file mapped into memory (1.03, but the map is memory), groups that
wait for as many as the largest of late (1.00), the log emptied three times a second (1.03, but p99
1.5 times) or thirty times (1.0), intake's rooms compiled to C by mypyc (1.04; the module of the
statements cannot be). On PostgreSQL: groups that do not wait for each other (0.85:
smaller ones, and Python's lock between the loop and its thread), rows by lists instead of COPY
(0.7), another switch interval (none).

More than half of the loop's time is the interpreter itself. How many times isso's the reports are
depends on the processor and on how Python was built: isso's four processes use all cores and wait
for each other on any, ours is bound by the speed of one. This page is of Debian's Python, built
with optimisations as our image's is; by a plain build reports were 2.9 and 3.5 times isso's at 8
and 32 connections in the same hour. On other machines: 2.0 and 2.8 times by a plain build, 2.2 and
2.7 by Debian's (Intel, of half the speed); 2.7 and 3.0, and 3.15 and 3.65 (AMD EPYC).

Memory is mostly modules: the process that serves holds some 70 MiB before its first request, a
third of it SQLAlchemy; it shares what the one that watches over it has loaded. It grows once more
at the first full hour, when statistics are added up: 6 MiB for 30,000 reports of 5,000
articles."""


def measure(results: Results, times: Times) -> None:
    """What a report costs in this process, beside the ceiling's."""
    results.heading(
        "Profile",
        "One report in this process, without a socket, in turn with the ceiling: CPU time, calls, "
        "statements, and whose code the time is spent in (under the profiler, which weighs on "
        "Python's calls and not on the database's).",
    )
    found = profiled(None, times.seconds * 100)
    results.table(
        (
            "CPU, ms",
            "of it in statements",
            "beside the ceiling",
            f"intake in groups of {GROUP}, ms",
            "calls",
            "statements",
        ),
        [
            [
                found.microseconds / 1e3,
                found.in_statements / 1e3,
                found.times_ceiling,
                found.together / 1e3,
                found.calls,
                found.statements,
            ]
        ],
    )
    shares = sorted(found.rooms.items(), key=lambda pair: -pair[1])
    results.table(("whose code", "share"), [[name, f"{share:.0%}"] for name, share in shares])
    results.text(WHY)


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="postgresql://…; a fresh SQLite file where absent")
    parser.add_argument("-n", type=int, default=300, help="requests")
    options = parser.parse_args()
    found = profiled(options.database, options.n)
    print(
        f"{found.microseconds:,.0f} µs of CPU, {found.in_statements:,.0f} of them in statements, "
        f"{found.times_ceiling:.1f} times the ceiling's; "
        f"intake in groups of {GROUP} {found.together:,.0f} µs; "
        f"{found.calls:,.0f} calls, {found.statements:.1f} statements a report"
    )
    for name, share in sorted(found.rooms.items(), key=lambda pair: -pair[1]):
        print(f"{share:6.1%} {name}")


if __name__ == "__main__":
    main()
