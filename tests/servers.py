"""Real servers for the tests: a private PostgreSQL and Redis each, started on free ports."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MISSING_POSTGRESQL = (
    "PostgreSQL is not installed (Debian: apt-get install postgresql): its tests are skipped"
)
MISSING_REDIS = (
    "Redis is not installed (Debian: apt-get install redis-server): its tests are skipped"
)


BELOW_EPHEMERAL = range(20000, 32000)
"""Ports that no system hands out by itself: one that is free stays free until it is used."""

PATIENCE = 90.0
"""Seconds in which a process has to be up, on a machine that has much else to do."""


def free_port() -> int:
    while True:
        port = secrets.choice(BELOW_EPHEMERAL)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(is_true: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class PostgreSQL:
    """A cluster of its own; as root its processes run as the user `postgres`, as they must."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="corrigenda-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            "corrigenda",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    @staticmethod
    def binaries() -> Path | None:
        found = shutil.which("initdb")
        folders = [Path(found).parent] if found else []
        folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        return next((folder for folder in folders if (folder / "initdb").exists()), None)

    def _run(self, name: str, *arguments: str) -> None:
        binaries = self.binaries()
        assert binaries is not None
        switch = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*switch, str(binaries / name), *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )

    def start(self, *, is_durable: bool = False) -> None:
        """Fast and forgetful for tests; durable, with its housekeeping, for figures."""
        careless = "" if is_durable else "-c fsync=off -c autovacuum=off "
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            f"{careless}-c max_connections=500 -c shared_buffers=64MB"
        )
        self._run(
            "pg_ctl", "-D", self.data, "-o", options, "-l", str(self.folder / "log"), "-w", "start"
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def remove(self) -> None:
        if is_listening(self.port):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://corrigenda@127.0.0.1:{self.port}/{database}"


class Redis:
    """A server of its own that keeps nothing on disk; Valkey's will do."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def binary() -> str | None:
        return shutil.which("valkey-server") or shutil.which("redis-server")

    def start(self) -> None:
        binary = self.binary()
        assert binary is not None
        self.process = subprocess.Popen(
            [
                binary,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.is_up, PATIENCE, "Redis listens")

    def is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"Redis ended with {self.process.returncode}"
        return is_listening(self.port)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"
