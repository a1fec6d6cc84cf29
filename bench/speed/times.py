"""How long and how large a run is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """Rounds of so many seconds each, and how many corrections at most."""

    rounds: int
    seconds: int
    sizes: tuple[int, ...]
    requests: int
    """For which memory is watched."""


QUICK = Times(rounds=3, seconds=3, sizes=(1_000, 10_000, 100_000), requests=50_000)
WHOLE = Times(rounds=3, seconds=5, sizes=(1_000, 10_000, 100_000, 1_000_000), requests=1_000_000)
