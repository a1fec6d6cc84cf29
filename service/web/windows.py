"""Moving windows in this process's memory, at the same price however many addresses there are."""

import threading
import time

from limits.storage import MemoryStorage
from limits.storage.memory import Entry

SCHEME = "windows"
FEW = 1_024


class Windows(MemoryStorage):
    """The store of `limits`, swept now and then.

    Its own looks at every address after every request, and keeps the names of those long gone.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - a constant, as the library has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:
        super().__init__(uri, wrap_exceptions)
        self._mutex = threading.Lock()
        self._most = FEW

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """None: memory is not a store that could be gone."""
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether so many more fit in the window; then they are counted."""
        if amount > limit:
            return False
        now = time.time()
        with self._mutex:
            if len(self.events) >= self._most:
                self._sweep(now)
            entries = self.events.setdefault(key, [])
            if len(entries) > limit - amount and entries[limit - amount].atime >= now - expiry:
                return False
            self.events[key] = ([Entry(expiry)] * amount + entries)[:limit]
            return True

    def _sweep(self, now: float) -> None:
        """Forget whoever has not been here for a whole window; as rarely as there are many left."""
        kept = {key: found for key, found in self.events.items() if found and found[0].expiry > now}
        self.events, self._most = kept, max(FEW, 2 * len(kept))
