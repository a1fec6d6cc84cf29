"""Many processes on PostgreSQL and Redis: how fast, and what a kill or an upgrade costs."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.speed import targets
from bench.speed.results import Results
from bench.speed.targets import Target, ratio
from bench.speed.times import Times
from service.db import Database
from tests.faults.load import Load, check_counters, kept
from tests.processes import COMMAND, Serving, run
from tests.servers import Redis, free_port, is_listening, wait_until

PROCESSES = (1, 2, 4)
VERSIONS = Path("service/db/migrations/versions")

COUNTING = """
import time
until, number = time.monotonic() + 2, 0
while time.monotonic() < until:
    number += 1
print(number)
"""

PROXY_SECONDS = 1.2
"""The proxy looks again for a server a second after it was gone; till then the next one stays."""


def measure(results: Results, times: Times) -> None:
    """Throughput by processes, then kills and an upgrade with traffic on."""
    results.heading(
        "Many processes",
        "nginx before `serve` processes, one `worker`, PostgreSQL and Redis, all on this machine "
        "together with the load: no number of processes is faster than its cores.",
    )
    with ExitStack() as stack:
        url, data = stack.enter_context(targets.postgresql()), stack.enter_context(targets.folder())
        if url is None or Redis.binary() is None or shutil.which("nginx") is None:
            results.text("PostgreSQL, Redis or nginx is not installed here.")
            return
        redis = Redis()
        redis.start()
        stack.callback(redis.stop)
        env = targets.settings(data, url, REDIS_URL=redis.url(), SECRET_KEY="one for all")
        env["CORRIGENDA_TRUSTED_PROXIES"] = "2"
        key = targets.site(env)
        speed(results, times, env, url, key)
        killed(results, env, key)
        # All readers of this load have one address.
        upgraded(results, {**env, "CORRIGENDA_REPORT_LIMITS": "100000/minute"}, url)


@contextmanager
def proxy(ports: list[int]) -> Iterator[str]:
    """nginx before these ports; it passes on whom the load says it is."""
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="corrigenda-nginx-"))
    servers = "".join(f"server 127.0.0.1:{each} max_fails=1 fail_timeout=1s;" for each in ports)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; error_log /dev/null; worker_processes 1;"
        "events { worker_connections 1024; }"
        f"http {{ access_log off; upstream all {{ {servers} keepalive 64; }}"
        f"client_body_temp_path {folder}; proxy_temp_path {folder};"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://all;"
        'proxy_http_version 1.1; proxy_set_header Connection "";'
        "proxy_next_upstream error timeout http_502 non_idempotent; proxy_connect_timeout 1s;"
        "proxy_set_header Host 127.0.0.1;"
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } } }"
    )
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    started = subprocess.Popen(["nginx", "-c", str(config), *user], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_listening(port), 20, "nginx listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def worker(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """One `corrigenda worker`."""
    started = subprocess.Popen([COMMAND, "worker"], env=env, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(40)


@dataclass(slots=True)
class Watched(Target):
    """A target of which is known what its runs took of the processor."""

    parts: dict[str, list[int]] = field(default_factory=dict)
    """The processes of each part."""
    spent: list[list[float]] = field(default_factory=list)
    """For each run seconds a report of each part, and of the whole machine; then busy cores."""

    def run(self, connections: int, seconds: int) -> None:
        """Load it once, and look at the clocks before and after."""
        before, began = self._clocks(), time.monotonic()
        Target.run(self, connections, seconds)
        took = [now - then for now, then in zip(self._clocks(), before, strict=True)]
        number = self.runs[connections][-1].rps * seconds
        busy = took[-1] / (time.monotonic() - began)
        self.spent.append([*(seconds / number for seconds in took), busy])

    def processor(self) -> list[float]:
        """The medians: milliseconds a report of each part and of all else, and busy cores."""
        *parts, whole, busy = map(statistics.median, zip(*self.spent, strict=True))
        return [*(1000 * each for each in (*parts, whole - sum(parts))), busy]

    def _clocks(self) -> list[float]:
        parts = [sum(map(targets.processor_of, pids)) for pids in self.parts.values()]
        return [*parts, processor()]


def processor() -> float:
    """Seconds that all cores together have worked."""
    user, nice, system, *_ = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def postmaster(url: str) -> int:
    """The process of PostgreSQL that all its others come from."""
    with psycopg.connect(url) as connection:
        told = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    return int(told.rpartition(")")[2].split()[1])


def counted(processes: int) -> int:
    """How far so many processes count in two seconds, all together."""
    argv = [sys.executable, "-c", COUNTING]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return sum(int(each.communicate()[0]) for each in running)


def cores(rounds: int) -> float:
    """How many times as far two processes that share nothing count as one: the cores' own limit."""
    return statistics.median(counted(2) / counted(1) for _ in range(rounds))


def speed(results: Results, times: Times, env: dict[str, str], url: str, key: str) -> None:
    """Reports by 1, 2 and 4 processes, in turn."""
    with ExitStack() as stack:
        stack.enter_context(worker(env))
        servers = [stack.enter_context(Serving(env)) for _ in range(max(PROCESSES))]
        ports = [server.port for server in servers]
        pids = [server.process.pid for server in servers if server.process]
        found = []
        for count in PROCESSES:
            proxied = stack.enter_context(proxy(ports[:count]))
            one = Watched(f"{count}", proxied, "report", [key], os.getpid())
            one.parts = {"serving": pids[:count], "PostgreSQL": [postmaster(url)]}
            found.append(one)
        targets.settle(url, found[-1], times.seconds)
        for one in found:
            one.spent.clear()
        targets.in_turn(found, [32], times.rounds, times.seconds)
    beside = [ratio(one, found[0], 32) for one in found]
    rows = [
        [one.name, one.middle(32).rps, times_one, one.middle(32).p99]
        for one, times_one in zip(found, beside, strict=True)
    ]
    results.table(("processes", "reports/s at 32", "beside one", "p99, ms"), rows)
    results.text(
        "What a report takes of the processor there, in milliseconds, and how busy that is:"
    )
    results.table(
        ("processes", *found[0].parts, "nginx, Redis, the load and all else", "cores busy"),
        [[one.name, *one.processor()] for one in found],
    )
    results.text(
        "Two processes that only count, and share nothing, come "
        f"{cores(times.rounds):.2f} times as far here as one."
    )
    results.plot(
        "machines",
        "Reports a second by serving processes",
        [str(count) for count in PROCESSES],
        {"PostgreSQL": [one.middle(32).rps for one in found]},
    )
    results.aim(
        "two processes on PostgreSQL beside one",
        ">= 1.6x",
        f"{beside[1]:.2f}x",
        holds=beside[1] >= 1.6,
    )


def killed(results: Results, env: dict[str, str], key: str) -> None:
    """`kill -9` of a server and of a worker under load: what was acknowledged is there."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Serving(env)) for _ in range(2)]
        workers = [stack.enter_context(worker(env)) for _ in range(2)]
        url = stack.enter_context(proxy([server.port for server in servers]))
        with Load(url, key, threads=4) as sent:
            wait_until(lambda: len(sent.acknowledged) > 20, 60, "reports are taken")
            servers[0].kill()
            workers[0].kill()
            at = len(sent.acknowledged)
            wait_until(lambda: len(sent.acknowledged) > at + 20, 60, "reports go on")
    lost = lost_of(env, sent)
    results.text(
        f"One of two servers and one of two workers killed with `kill -9` under load: "
        f"{len(sent.acknowledged)} reports acknowledged, {lost} of them lost, "
        f"{sent.broken + len(sent.refused)} answers that readers' widgets had to try again."
    )
    results.aim("killed under load: acknowledged and lost", "0", str(lost), holds=lost == 0)


def upgraded(results: Results, env: dict[str, str], url: str) -> None:
    """The release before the newest migration serves; this one migrates and takes over."""
    with ExitStack() as stack:
        old = previous_release(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        if old is None:
            results.text("No history of the releases here, so none was upgraded.")
            return
        another = f"{url.rpartition('/')[0]}/upgraded"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE upgraded")
        before = {**env, "PYTHONPATH": str(old), "CORRIGENDA_DATABASE_URL": another}
        after = {**env, "CORRIGENDA_DATABASE_URL": another}
        key = targets.site(before)
        servers = [stack.enter_context(Serving(before)) for _ in range(2)]
        proxied = stack.enter_context(proxy([server.port for server in servers]))
        with Load(proxied, key, threads=4) as sent:
            wait_until(lambda: len(sent.acknowledged) > 10, 60, "the old release takes reports")
            began = time.monotonic()
            done = run(["migrate"], after)
            assert done.returncode == 0, done.stderr
            took = time.monotonic() - began
            for server in servers:
                server.stop()
                server.env = {**server.env, **after}
                server.env.pop("PYTHONPATH", None)
                server.start()
                time.sleep(PROXY_SECONDS)
            at = len(sent.acknowledged)
            wait_until(
                lambda: len(sent.acknowledged) > at + 10, 60, "the new release takes reports"
            )
        lost = lost_of(after, sent)
        refused = len(sent.refused) + sent.broken
    results.text(
        "A rolling upgrade from the release before the newest migration, with traffic on: migrated "
        f"in {took:.1f} s; {len(sent.acknowledged)} reports acknowledged, {lost} of them lost, "
        f"{refused} tried again."
    )
    results.aim("rolling upgrade: acknowledged and lost", "0", str(lost), holds=lost == 0)


def lost_of(env: dict[str, str], sent: Load) -> int:
    """How many acknowledged reports are not there; every counter is checked too."""
    database = Database(env["CORRIGENDA_DATABASE_URL"])
    check_counters(database)
    lost = len(sent.acknowledged - kept(database))
    database.dispose()
    return lost


def previous_release(folder: Path) -> Path | None:
    """The newest tree without the newest migration; None where git does not know of one."""
    newest = max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))
    asked = f"git log --format=%H -200 -- {VERSIONS}"
    for commit in subprocess.run(asked.split(), capture_output=True, text=True).stdout.split():
        listed = f"git ls-tree --name-only {commit} {VERSIONS}/"
        names = subprocess.run(listed.split(), capture_output=True, text=True).stdout.split()
        numbers = [Path(name).name[:4] for name in names if Path(name).name[0] == "0"]
        # A branch on its way may have two of one number.
        if len(numbers) == len(set(numbers)) and max(numbers) < newest:
            archive = f"git archive {commit} service static"
            packed = subprocess.run(archive.split(), capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
            return folder
    return None
