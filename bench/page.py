"""`python -m bench.page TARGET… [NAME=value…]`: make these; what they print goes on the page."""

import subprocess
import sys
import time

from bench.speed.results import Results

TITLES = {
    "bench-text": "Text",
    "bench-intake": "Real corrections in a browser",
    "bench-dispatch": "Webhooks",
    "bench-widget": "Widget",
    "bench-desk": "Desk",
    "bench-stats": "Statistics",
    "bench-exports": "Exports and imports",
}


def kept(target: str, chosen: list[str]) -> bool:
    """Make it, let its figures pass and put them on the page; whether it succeeded."""
    results, began, lines = Results(is_quick=False), time.monotonic(), list[str]()
    command = ["make", "--no-print-directory", target, *chosen]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        for line in made.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    minutes = (time.monotonic() - began) / 60
    results.heading(TITLES[target], f"`make {target}`, in {minutes:.1f} minutes:")
    results.text(f"```text\n{''.join(lines).strip()}\n```")
    results.write_parts()
    return made.returncode == 0


def main() -> None:
    """Make all, whatever one says; exit with 1 where one failed."""
    targets = [word for word in sys.argv[1:] if "=" not in word]
    chosen = [word for word in sys.argv[1:] if "=" in word]
    failed = [target for target in targets if not kept(target, chosen)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
