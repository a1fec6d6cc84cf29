"""`python -m bench.speed [--quick] [--only SECTION]`: all of it, into bench/RESULTS.md."""

import argparse
import sys
from dataclasses import replace

from bench.speed import machines, memory, moving, profile, servers, sizes, writes
from bench.speed.results import PAGE, Results
from bench.speed.times import QUICK, WHOLE

SECTIONS = {
    "writes": writes.measure,
    "profile": profile.measure,
    "servers": servers.measure,
    "memory": memory.measure,
    "sqlite": sizes.on_sqlite,
    "postgresql": sizes.on_postgresql,
    "moving": moving.measure,
    "machines": machines.measure,
}


def sizes_of(text: str) -> tuple[int, ...]:
    """Numbers between commas."""
    return tuple(map(int, text.split(",")))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="shorter rounds, to 100,000 corrections"
    )
    parser.add_argument("--only", choices=SECTIONS, action="append", help="these parts of the page")
    parser.add_argument("--sizes", type=sizes_of, help="how many corrections, as 1000,10000")
    options = parser.parse_args()
    times = QUICK if options.quick else WHOLE
    times = replace(times, sizes=options.sizes or times.sizes)
    results = Results(options.quick)
    for name in options.only or SECTIONS:
        print(f"{name}:", file=sys.stderr, flush=True)
        SECTIONS[name](results, times)
        if not options.only:
            results.write()
    if options.only:
        results.write_parts()
    print(PAGE)


if __name__ == "__main__":
    main()
