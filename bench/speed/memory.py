"""Whether memory stays what it is, however long a server serves."""

from bench.speed import targets
from bench.speed.results import Results
from bench.speed.targets import Target
from bench.speed.times import Times

STEPS = 10
READING, WRITING = 18, 2
"""Seconds of the widget's answers, then of reports: readers open far more than they send."""


def measure(results: Results, times: Times) -> None:
    """PSS after each tenth of the requests."""
    results.heading(
        "Memory",
        f"One `serve` process on SQLite takes {times.requests:,} requests, {READING} seconds of "
        f"the widget's answers in turn with {WRITING} of reports from ever new addresses; PSS of "
        "its processes after each tenth. Limits hold for a minute here: what the usual ones "
        "remember for a day, half a kilobyte for each address that reported, would hide a leak.",
    )
    with targets.folder() as data:
        env = targets.settings(data) | {"CORRIGENDA_REPORT_LIMITS": "1000/minute"}
        with targets.ours("Corrigenda", env) as ours:
            path = f"/api/v1/sites/{ours.arguments[0]}/widget?locale=en"
            reading = Target("the widget's answer", ours.url, "get", [path], ours.pid)
            held = [(0, targets.memory_of(ours.pid))]
            while held[-1][0] < times.requests:
                reading.run(16, READING)
                ours.run(16, WRITING)
                number = requests(reading, READING) + requests(ours, WRITING)
                held.append((number, targets.memory_of(ours.pid)))
    shown = [min(held, key=lambda pair: abs(pair[0] - step)) for step in steps(times.requests)]
    results.table(
        ["requests", *(f"{number:,}" for number, _ in shown)],
        [["PSS, MiB", *(memory for _, memory in shown)]],
    )
    early, late = shown[1][1], shown[-1][1]
    results.aim(
        f"memory after {times.requests:,} requests beside a tenth of them",
        "<= 1.1x",
        f"{late / early:.2f}x",
        holds=late <= 1.1 * early,
    )


def requests(target: Target, seconds: int) -> int:
    """How many it has answered, refusals and all."""
    return sum(
        round(run.rps * seconds) + run.refused for runs in target.runs.values() for run in runs
    )


def steps(most: int) -> list[int]:
    """From none to all of them."""
    return [most * step // STEPS for step in range(STEPS + 1)]
