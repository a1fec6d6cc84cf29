"""Run the targets one after another, each in a process of its own, and tell how often."""

import argparse
import re
import subprocess
import sys
import tempfile

import atheris

NAMES = ("selectors", "html", "words", "bodies", "links", "imports")


def run_target(name: str, arguments: list[str]) -> None:
    """Fuzz one target until its time is over or something is found."""
    with atheris.instrument_imports(include=["service", "marshmallow"]):
        from fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name])
    atheris.Fuzz()


def run_all(minutes: float) -> int:
    """Fuzz every target for its share of the time; how many have found something."""
    seconds = max(1, int(minutes * 60 / len(NAMES)))
    found = 0
    for name in NAMES:
        with tempfile.TemporaryDirectory() as grown:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "fuzz", "--target", name, "--"),
                    *(
                        f"-max_total_time={seconds}",
                        "-max_len=8192",
                        "-timeout=10",
                        "-rss_limit_mb=2048",
                    ),
                    *(
                        "-print_final_stats=1",
                        f"-artifact_prefix={tempfile.gettempdir()}/corrigenda-{name}-",
                        grown,
                    ),
                ],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
        covered = re.findall(r"cov: (\d+)", done.stderr)
        outcome = "nothing found" if done.returncode == 0 else "FOUND"
        count = int(runs[1]) if runs else 0
        print(f"{name:<12}{count:>10,} runs{covered[-1] if covered else '?':>8} edges  {outcome}")
        if done.returncode:
            found += 1
            print(done.stdout[-2000:] + done.stderr[-3000:])
    return found


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--target", choices=NAMES)
    parser.add_argument("arguments", nargs="*")
    given = parser.parse_args()
    if given.target:
        run_target(given.target, given.arguments)
    else:
        sys.exit(run_all(given.minutes))


if __name__ == "__main__":
    main()
