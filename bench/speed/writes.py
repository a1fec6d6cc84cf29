"""Durable reports beside the peer's comments and the ceiling, on a fast disk and on a slow one."""

from contextlib import ExitStack
from pathlib import Path

from bench.speed import targets
from bench.speed.results import Results
from bench.speed.targets import Target, ratio
from bench.speed.times import Times

CEILING = "the ceiling: no database"


def measure(results: Results, times: Times) -> None:
    """All writing, into the results."""
    results.heading(
        "Write path",
        "A report of about 1 kB with all rules (limits, idempotency, spam, grouping, events), "
        "answered once it is durable (SQLite, WAL, `synchronous=FULL`), by `corrigenda "
        "serve` with one process; beside it isso by gunicorn with four processes "
        "keeps a comment. The ceiling is the same server and schema without a database. "
        "Answers a second, and milliseconds.",
    )
    connections = [1, 8, 32]
    with ExitStack() as stack:
        data = stack.enter_context(targets.folder())
        found = started(stack, data, times)
        targets.in_turn(list(found.values()), connections, times.rounds, times.seconds)
        told(results, found, connections)
        slow = targets.slow_disk()
        if slow is None:
            results.text("No C compiler here, so no disk was made slower.")
        else:
            on_a_slow_disk(results, stack, slow, found["ours"], times)


def started(stack: ExitStack, data: Path, times: Times) -> dict[str, Target]:
    """All targets, running."""
    key = {"PYTHONPATH": str(Path.cwd())}
    env = targets.settings(data / "ours")
    found = {
        "peer": stack.enter_context(targets.peer(data)),
        "ours": stack.enter_context(targets.ours("Corrigenda, SQLite", env)),
    }
    if url := stack.enter_context(targets.postgresql()):
        large = targets.settings(data / "large", url)
        found["large"] = stack.enter_context(targets.ours("Corrigenda, PostgreSQL", large))
        targets.settle(url, found["large"], times.seconds)
    argv = targets.gunicorn("bench.speed.ceiling:served", kind=targets.LOOP)
    found["ceiling"] = stack.enter_context(targets.wsgi(CEILING, argv, {**env, **key}, "x"))
    return found


def told(results: Results, found: dict[str, Target], connections: list[int]) -> None:
    """The table, the plot and the aims."""
    header = ["", *(f"{n} at once" for n in connections), "p50 at 32", "p99 at 32", "PSS, MiB"]
    results.table(
        header,
        [
            [
                target.name,
                *(target.middle(n).rps for n in connections),
                target.middle(32).p50,
                target.middle(32).p99,
                target.memory,
            ]
            for target in found.values()
        ],
    )
    results.plot(
        "writes",
        "Durable reports a second, by connections",
        [str(n) for n in connections],
        {target.name: [target.middle(n).rps for n in connections] for target in found.values()},
    )
    ours, peer, ceiling = found["ours"], found["peer"], found["ceiling"]
    at_8, at_32 = ratio(ours, peer, 8), ratio(ours, peer, 32)
    slowest, top = ratio(ours, peer, 32, "p99"), ratio(ours, ceiling, 32)
    reached = f"{at_8:.1f}x and {at_32:.1f}x"
    results.aim(
        "reports beside isso at 8 and 32, floor", ">= 3x", reached, holds=min(at_8, at_32) >= 3
    )
    results.aim("the same, aim", ">= 7x", reached, holds=min(at_8, at_32) >= 7)
    results.aim(
        "p99 at 32 beside isso's, floor", "<= 0.3x", f"{slowest:.2f}x", holds=slowest <= 0.3
    )
    results.aim("the same, aim", "<= 0.15x", f"{slowest:.2f}x", holds=slowest <= 0.15)
    results.aim("beside the ceiling at 32, aim", ">= 0.6", f"{top:.2f}", holds=top >= 0.6)
    memory = f"{ours.memory:.0f} MiB"
    results.aim("memory under write load (PSS)", "<= 70 MiB", memory, holds=ours.memory <= 70)


def on_a_slow_disk(
    results: Results, stack: ExitStack, slow: dict[str, str], fast: Target, times: Times
) -> None:
    """Both again where a sync takes 2 ms longer."""
    data = stack.enter_context(targets.folder())
    peer = stack.enter_context(targets.peer(data, **slow))
    env = {**targets.settings(data / "ours"), **slow}
    ours = stack.enter_context(targets.ours("Corrigenda, SQLite", env))
    targets.in_turn([peer, ours], [32], times.rounds, times.seconds)
    results.text("With 2 ms more for each sync, 32 connections:")
    rows = [[one.name, one.middle(32).rps, one.middle(32).p99] for one in (peer, ours)]
    results.table(("", "a second", "p99"), rows)
    beside, kept = ratio(ours, peer, 32), ours.middle(32).rps / fast.middle(32).rps
    results.aim("slow disk beside isso, floor", ">= 8x", f"{beside:.1f}x", holds=beside >= 8)
    results.aim("the same, aim", ">= 20x", f"{beside:.1f}x", holds=beside >= 20)
    results.aim("slow disk beside the fast one, aim", ">= 0.6", f"{kept:.2f}", holds=kept >= 0.6)
