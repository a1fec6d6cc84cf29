"""What is loaded: our servers, the peer and the ceiling, each as real processes."""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.speed import load
from bench.speed.reports import ORIGIN
from tests.processes import Serving, environment, run, run_json
from tests.servers import PostgreSQL, free_port, wait_until

HERE = Path(__file__).parent
KEPT = Path(os.environ.get("CORRIGENDA_BENCH_DIR", "var/bench")).absolute()
"""Where the peer's environment and the compiled delay stay for the next run."""
PEER = "isso==0.14.0"
MANY = "1000/minute;30000/hour;100000/day"
THREADS = "16"
LOOP = "service.cli.patience.Worker"


@dataclass(slots=True)
class Target:
    """A server that takes a report, a comment or the like; `script` and `arguments` say how."""

    name: str
    url: str
    script: str
    arguments: list[str]
    pid: int
    runs: dict[int, list[load.Figures]] = field(default_factory=dict)
    memory: float = 0.0
    """The most its processes held (PSS), MiB."""

    def run(self, connections: int, seconds: int) -> None:
        """Load it once."""
        found = load.run(
            self.url, self.script, *self.arguments, connections=connections, seconds=seconds
        )
        self.runs.setdefault(connections, []).append(found)
        self.memory = max(self.memory, memory_of(self.pid))
        print(
            f"  {self.name}, {connections} connections: {found.rps:,.0f}/s, p99 {found.p99:,.0f} ms"
            + (
                f", {found.refused} refused, {found.broken} broken"
                * bool(found.refused + found.broken)
            ),
            file=sys.stderr,
            flush=True,
        )

    def middle(self, connections: int) -> load.Figures:
        """The medians of its rounds."""
        return load.middle(self.runs[connections])


def in_turn(targets: list[Target], connections: list[int], rounds: int, seconds: int) -> None:
    """Load them one after the other, another first each round: noise falls on all alike."""
    for turn in range(rounds):
        for count in connections:
            for at in range(len(targets)):
                targets[(turn + at) % len(targets)].run(count, seconds)


def ratio(one: Target, other: Target, connections: int, figure: str = "rps") -> float:
    """The median of the ratios of each round."""
    pairs = zip(one.runs[connections], other.runs[connections], strict=True)
    ratios = sorted(getattr(a, figure) / max(getattr(b, figure), 0.001) for a, b in pairs)
    middle = len(ratios) // 2
    return ratios[middle] if len(ratios) % 2 else (ratios[middle - 1] + ratios[middle]) / 2


def memory_of(pid: int) -> float:
    """PSS of a process and its descendants, MiB."""
    total = 0
    for each in family(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def processor_of(pid: int) -> float:
    """Processor seconds of a process and its descendants, ended ones with them."""
    ticks = 0
    for each in family(pid):
        try:
            told = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, told[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> set[int]:
    """A process and its descendants."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = {pid}
    for child, parent in sorted(parents):
        if parent in found:
            found.add(child)
    return found


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk that the service would use, gone afterwards."""
    KEPT.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=KEPT))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str | None]:
    """An empty database on a server of its own, synced like a real one; None without one."""
    if PostgreSQL.binaries() is None:
        yield None
        return
    server = PostgreSQL()
    server.start(is_durable=True)
    try:
        yield server.url()
    finally:
        server.remove()


def settle(url: str, target: Target, seconds: int) -> None:
    """Load it, and have PostgreSQL count what is there: in service it does so within a minute."""
    target.run(32, seconds)
    target.runs.clear()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def site(env: dict[str, str]) -> str:
    """Migrate and make a site; its key."""
    migrated = run(["migrate"], env)
    assert migrated.returncode == 0, migrated.stderr
    name = f"News {uuid.uuid4().hex[:8]}"
    key: str = run_json(["site", "create", name, "--origin", ORIGIN], env)["key"]
    return key


def settings(data: Path, url: str | None = None, **more: str) -> dict[str, str]:
    """The environment of a server that takes reports from as many addresses as come."""
    chosen = {"DATABASE_URL": url} if url else {}
    return environment(data, TRUSTED_PROXIES="1", REPORT_LIMITS=MANY, **chosen, **more)


@contextmanager
def ours(name: str, env: dict[str, str], *arguments: str) -> Iterator[Target]:
    """Our server with a fresh site."""
    key = site(env)
    with Serving(env, "serve", "--threads", THREADS, *arguments) as server:
        assert server.process is not None
        yield Target(name, server.url, "report", [key], server.process.pid)


@contextmanager
def process(argv: list[str], env: dict[str, str], port: int, path: str) -> Iterator[int]:
    """Any other server, until it answers at this path; gives its pid."""
    started = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_up() -> bool:
        assert started.poll() is None, argv
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False
        return True

    try:
        wait_until(is_up, 60, f"{argv[0]} answers")
        yield started.pid
    finally:
        started.terminate()
        started.wait(40)


@contextmanager
def peer(data: Path, name: str = "isso", **env: str) -> Iterator[Target]:
    """isso from PyPI in an environment of its own, by gunicorn with four processes."""
    home, port = KEPT / "isso", free_port()
    python = home / "bin/python"
    if not (home / "bin/gunicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEER, "gunicorn"], check=True)
    config = data / "isso.cfg"
    config.write_text(
        f"[general]\ndbpath = {data}/isso.db\nhost = {ORIGIN}\nlog-file = /dev/null\n"
        "[guard]\nenabled = false\n[moderation]\nenabled = false\n"
    )
    argv = [str(home / "bin/gunicorn"), "-b", f"127.0.0.1:{port}", "-w", "4", "--preload"]
    told = {**os.environ, "ISSO_SETTINGS": str(config), **env}
    with process([*argv, "isso.run"], told, port, "/info") as pid:
        yield Target(name, f"http://127.0.0.1:{port}", "comment", [""], pid)


@contextmanager
def wsgi(name: str, argv: list[str], env: dict[str, str], key: str) -> Iterator[Target]:
    """A server that runs an application of ours; `PORT` in the arguments becomes its port."""
    port = free_port()
    given = [part.replace("PORT", str(port)) for part in argv]
    with process(given, env, port, "/healthz") as pid:
        yield Target(name, f"http://127.0.0.1:{port}", "report", [key], pid)


def gunicorn(app: str, *, kind: str = "gthread") -> list[str]:
    """The command of the server that we ship, for another application; `LOOP` is how we ship it."""
    binary = str(Path(sys.executable).with_name("gunicorn"))
    threads = f"--threads {THREADS}" if kind == "gthread" else "--asgi-loop asyncio"
    options = f"-b 127.0.0.1:PORT -k {kind} {threads} --asgi-lifespan off --log-level error"
    return [binary, *options.split(), "--no-control-socket", app]


def slow_disk() -> dict[str, str] | None:
    """The environment in which each sync takes 2 ms longer; None without a C compiler."""
    compiler, built = shutil.which("cc"), KEPT / "slow_sync.so"
    if compiler is None:
        return None
    KEPT.mkdir(parents=True, exist_ok=True)
    source = str(HERE / "slow_sync.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(built), source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(built)}
