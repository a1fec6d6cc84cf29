"""A disk that fills up: writes are refused in words, reads go on, and room is all it takes."""

import ctypes
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.db import Database
from tests.conftest import ORIGIN, Say, missing
from tests.faults.load import Load, check_counters, check_integrity, kept, row
from tests.processes import COMMAND, Serving, environment, run_json
from tests.servers import wait_until

MISSING = "A small file system cannot be mounted (needs root): a full disk is not tried"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", str(place).encode(), b"tmpfs", 0, b"size=4m"):
        missing(MISSING)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def fill(place: Path) -> Path:
    """Write until there is no room for a byte."""
    file = place / "ballast"
    with file.open("ab", buffering=0) as ballast:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    ballast.write(b"x" * size)
            except OSError:
                continue
    return file


def test_full_disk_is_told_and_forgotten_when_there_is_room(small_disk: Path, say: Say) -> None:
    env = environment(small_disk, REPORT_LIMITS="1000000/minute")
    url = f"sqlite:///{small_disk / 'corrigenda.db'}"
    subprocess.run([COMMAND, "migrate"], env=env, check=True, capture_output=True)
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    with Serving(env) as server:
        load = Load(server.url, key, threads=2)
        with load:
            wait_until(lambda: len(load.acknowledged) >= 5, 60, "reports are taken")
        assert status(f"{server.url}/readyz") == 200
        ballast = fill(small_disk)
        with load:
            wait_until(lambda: len(load.refused) >= 5, 60, "reports are refused")
        assert {(code, kind, wait) for code, wait, kind in load.refused} == {
            (503, "/problems/unavailable", "5")
        }
        full = len(load.acknowledged)
        assert status(f"{server.url}/api/v1/sites/{key}/widget") == 200
        assert status(f"{server.url}/healthz") == 200
        assert status(f"{server.url}/readyz") == 503
        ballast.unlink()
        freed = time.monotonic()
        with load:
            wait_until(lambda: len(load.acknowledged) > full, 60, "reports are taken again")
        recovered = load.answered_at - freed
        assert status(f"{server.url}/readyz") == 200
    database = Database(url)
    lost = load.acknowledged - kept(database)
    assert lost == set()
    check_counters(database)
    check_integrity(database)
    database.dispose()
    say(row(f"disk full, SQLite ({len(load.refused)} refused)", 1, len(lost), 0, recovered))
