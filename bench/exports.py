"""What leaving and coming in costs at any size: time and peak memory of the real commands.

`python -m bench.exports --corrections 100000 --corrections 1000000`; each size is seeded into
SQLite of its own, exported as CSV and as annotations, and these are imported by a new site.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("corrigenda"))
ORIGIN = "https://news.example"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and the most memory that the process held, in MiB."""

    seconds: float
    mebibytes: float


def run(arguments: Sequence[str], env: dict[str, str]) -> Cost:
    """Run a command to its end; raises where it fails."""
    began = time.monotonic()
    with subprocess.Popen(
        [COMMAND, *arguments], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"corrigenda {' '.join(arguments)} failed")
    return Cost(time.monotonic() - began, used.ru_maxrss / 1024)


def site(name: str, env: dict[str, str]) -> str:
    """The key of a new site."""
    made = [COMMAND, "site", "create", name, "--origin", ORIGIN, "--json"]
    return str(json.loads(subprocess.check_output(made, env=env))["key"])


def measure(corrections: int, folder: Path) -> dict[str, Cost]:
    """The costs by what was done."""
    env = {**os.environ, "CORRIGENDA_DATA_DIR": str(folder), "CORRIGENDA_SECRET_KEY": "bench"}
    run(["migrate"], env)
    key = site("The Daily", env)
    run(["seed", "--site", key, "--corrections", str(corrections)], env)
    table, lines = str(folder / "all.csv"), str(folder / "all.jsonl")
    found = {
        "export csv": run(["export", table, "--site", key, "--format", "csv"], env),
        "export jsonl": run(["export", lines, "--site", key], env),
    }
    Path(table).unlink()
    found["import jsonl"] = run(["import", "jsonl", lines, "--site", site("The New", env)], env)
    return found


def main() -> None:
    """Print each cost, and how the memory of the largest compares with the smallest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corrections", type=int, action="append")
    parser.add_argument("--folder", type=Path, default=None, help="Where the databases are made.")
    wanted = parser.parse_args()
    sizes = sorted(wanted.corrections or [100_000, 1_000_000])
    costs: dict[int, dict[str, Cost]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
            costs[size] = measure(size, Path(folder))
        for what, cost in costs[size].items():
            print(
                f"{size:>9,} corrections, {what:12}: {cost.seconds:7.1f} s, "
                f"{size / cost.seconds:7,.0f}/s, peak {cost.mebibytes:5.1f} MiB",
                flush=True,
            )
    for what, cost in costs[sizes[-1]].items():
        ratio = cost.mebibytes / costs[sizes[0]][what].mebibytes
        print(f"{what}: peak memory of {sizes[-1]:,} is {ratio:.2f} × that of {sizes[0]:,}")


if __name__ == "__main__":
    main()
