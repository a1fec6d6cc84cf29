"""What becomes of a correction: when readers report it, who moves it where, and when."""

import random
from dataclasses import dataclass
from math import exp, log

from service.seed.stories import DAY, HOUR

OPEN = frozenset({"new", "accepted"})
WAYS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (34, ("fixed",)),
    (22, ("accepted", "fixed")),
    (7, ("accepted",)),
    (15, ("rejected",)),
    (2, ("accepted", "rejected")),
    (5, ("spam",)),
    (2, ("rejected", "new", "fixed")),
    (1, ("fixed", "new")),
    (12, ()),
)
_WEIGHTS = [weight for weight, _ in WAYS]
REASONS = ("Not a mistake", "House style", "A quotation, kept as said", "Cannot be verified")
SUSPICIONS: tuple[tuple[dict[str, str | int], ...], ...] = (
    ({"reason": "trapped", "points": 100},),
    ({"reason": "trapped", "points": 100}, {"reason": "quick", "points": 20}),
    ({"reason": "quick", "points": 20}, {"reason": "repeated", "points": 45, "count": 3}),
    ({"reason": "quick", "points": 20}, {"reason": "burst", "points": 40, "count": 20}),
    ({"reason": "repeated", "points": 60, "count": 4},),
)
"""What intake finds in spam, as it is kept with a report; each is worth 50 points and more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One move: where from, where to, when, and whether a revision made it."""

    origin: str
    to: str
    at: float
    is_revision: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """The moves of a correction, the instants of its reports, and how it stands at the end."""

    steps: tuple[Step, ...]
    reports: tuple[float, ...]
    is_suspected: bool

    @property
    def state(self) -> str:
        """The state at the end."""
        return self.steps[-1].to if self.steps else "new"

    @property
    def first_decided_at(self) -> float | None:
        """The first move away from new."""
        return self.steps[0].at if self.steps else None

    @property
    def decided_at(self) -> float | None:
        """The move by which it stands where it does."""
        return None if self.state == "new" else self.steps[-1].at

    @property
    def fixed_at(self) -> float | None:
        """The move that fixed it, where it is fixed."""
        return self.steps[-1].at if self.state == "fixed" else None

    @property
    def closed_at(self) -> float | None:
        """The move that closed it, where it is closed."""
        return None if self.state in OPEN else self.steps[-1].at

    def state_at(self, at: float) -> str:
        """The state at an instant."""
        return next((step.to for step in reversed(self.steps) if step.at <= at), "new")


def live(rng: random.Random, began: float, until: float, fixed_at: float | None = None) -> Life:
    """Make up a life that began at this instant; `fixed_at` is when a revision corrects it."""
    is_suspected = fixed_at is None and rng.random() < 0.02
    steps: tuple[Step, ...] = ()
    if fixed_at is not None and fixed_at <= until:
        steps = (Step("new", "fixed", fixed_at, is_revision=True),)
    elif not is_suspected:
        steps = _steps(rng, began, until)
    return Life(steps, _reports(rng, began, _open_until(steps, until)), is_suspected)


def _open_until(steps: tuple[Step, ...], until: float) -> float:
    return next((step.at for step in steps if step.to not in OPEN), until)


def _steps(rng: random.Random, began: float, until: float) -> tuple[Step, ...]:
    steps, state, at = [], "new", began
    for to in rng.choices(WAYS, _WEIGHTS)[0][1]:
        at += _wait(rng)
        if at > until:
            break
        steps.append(Step(state, to, at))
        state = to
    return tuple(steps)


def _wait(rng: random.Random) -> float:
    """Seconds until somebody decides: half within three hours, one in ten after a day and more."""
    return float(60 + 3 * HOUR * exp(rng.gauss(0, 1.7)))


def _reports(rng: random.Random, began: float, end: float) -> tuple[float, ...]:
    """Most passages are reported once, a few by hundreds; the first report begins the life."""
    count = 1 if rng.random() < 0.62 else min(400, int(rng.paretovariate(1.2)) + 1)
    last = min(end - began, 6 * DAY)
    more = sorted(began + last * rng.random() ** 3 for _ in range(count - 1))
    return (began, *more)


def arrivals(rng: random.Random, number: int, until: float, days: int) -> list[float]:
    """So many instants over these days, in order: more by day than by night, fewer on weekends."""
    hours = [int(until - days * DAY) + hour * int(HOUR) for hour in range(days * 24)]
    weights = [_weight(hour, hour - hours[0]) for hour in hours]
    return sorted(
        min(until - 1.0, hour + rng.random() * HOUR)
        for hour in rng.choices(hours, weights, k=number)
    )


def _weight(hour: int, since: int) -> float:
    of_day = (hour // 3600) % 24
    of_week = (hour // 86400 + 4) % 7
    by_day = 0.15 if of_day < 5 else 1 + log(1 + min(of_day - 4, 24 - of_day))
    return by_day * (0.5 if of_week in {0, 6} else 1.0) * (1 + since / (2 * 365 * 86400))
