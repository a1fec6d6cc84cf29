"""One closed-loop load by wrk, with the scripts of this folder: figures of one run."""

import json
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Figures:
    """Requests a second that were answered below 400; milliseconds."""

    rps: float
    p50: float
    p99: float
    refused: int = 0
    broken: int = 0


def run(url: str, script: str, *arguments: str, connections: int, seconds: int) -> Figures:
    """Load a server; the loop is closed, so a server that stalls is asked less often."""
    if not shutil.which("wrk"):
        sys.exit("bench: wrk is not installed (Debian: apt-get install wrk)")
    given = [*arguments, str(random.randrange(2**31))]
    done = subprocess.run(
        f"wrk -t1 -c{connections} -d{seconds}s --timeout=20s -s {script}.lua {url} --".split()
        + given,
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("TOLD ")] or [""]
    if not line:
        sys.exit(f"bench: wrk told nothing: {done.stdout}{done.stderr}")
    told = json.loads(line.removeprefix("TOLD "))
    answered = told["requests"] - told["refused"]
    rate = answered / told["seconds"]
    return Figures(rate, told["p50"], told["p99"], told["refused"], told["broken"])


def middle(runs: list[Figures]) -> Figures:
    """The median of each figure; what was refused or broke is added up."""
    return Figures(
        *(median(getattr(run, name) for run in runs) for name in ("rps", "p50", "p99")),
        refused=sum(run.refused for run in runs),
        broken=sum(run.broken for run in runs),
    )
