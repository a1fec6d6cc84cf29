"""Moving windows in this process's memory, as small and as quick however many addresses ask."""

import threading
import time
from array import array
from bisect import bisect_left

from limits.storage import MemoryStorage

SCHEME = "windows"


class Windows(MemoryStorage):
    """The store of `limits`, at a third of its weight for each name, and never looked through.

    Its own looks at every name after every request, and keeps those long gone. The clock is one
    that nobody sets.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - a constant, as the library has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:
        super().__init__(uri, wrap_exceptions)
        self._mutex = threading.Lock()
        self._seen: dict[int, Seen] = {}

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """None: memory is not a store that could be gone."""
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether so many more fit in the window; then they are counted."""
        now, name = time.monotonic(), hash(key)
        with self._mutex:
            seen = self._of(expiry, now)
            moments = seen.since(name, now)
            if len(moments) + amount > limit:
                return False
            moments.extend([now] * amount)
            seen.keep(name, moments)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the first in the window was counted, and how many there are."""
        now = time.monotonic()
        with self._mutex:
            moments = self._of(expiry, now).since(hash(key), now)
        return time.time() - (now - moments[0] if moments else 0), len(moments)

    def reset(self) -> int | None:
        """Forget all; how many names these were."""
        with self._mutex:
            number = sum(map(len, self._seen.values()))
            self._seen.clear()
        return number

    def _of(self, seconds: int, now: float) -> "Seen":
        seen = self._seen.get(seconds)
        if seen is None:
            seen = self._seen[seconds] = Seen(seconds, now)
        seen.turn(now)
        return seen


class Seen:
    """When each name was counted: in this stretch of so many seconds, and in the one before.

    What is older than a whole stretch is forgotten with it. Names are kept as their hashes of 64
    bits, and instants as packed doubles, the oldest first.
    """

    def __init__(self, seconds: int, now: float) -> None:
        self.seconds, self.began = seconds, now
        self._now: dict[int, bytes] = {}
        self._before: dict[int, bytes] = {}

    def turn(self, now: float) -> None:
        """Begin another stretch where this one is over."""
        if now > self.began + self.seconds:
            self._before, self._now, self.began = self._now, {}, now

    def since(self, name: int, now: float) -> "array[float]":
        """The instants within the last so many seconds."""
        moments = array("d", self._now.get(name) or self._before.get(name, b""))
        return moments[bisect_left(moments, now - self.seconds) :] if moments else moments

    def keep(self, name: int, moments: "array[float]") -> None:
        """Remember these instants, and no others."""
        self._before.pop(name, None)
        self._now[name] = moments.tobytes()

    def __len__(self) -> int:
        return len(self._now) + len(self._before)
