"""A thread that writes results down, as many at once as have come in."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.exc import DataError, SQLAlchemyError

from service.dispatch.client import SendFailed
from service.dispatch.results import Result
from service.errors import Unavailable

BATCH = 250
"""So many results that wait are written at once; whoever brings more rests meanwhile: what is
sent and not written down is sent again after a kill."""
REST = 2
"""Under load it rests so many times longer than the last batch took, and no longer than this."""
PAUSE_SECONDS = 0.1
AGAIN_SECONDS = 0.5
LAST_SECONDS = 5.0
"""How long a stopping worker tries; what stays unwritten is sent again, under the same id."""

_UNWRITABLE = SendFailed("internal", "what came of it could not be written down")

log = logging.getLogger(__name__)


class Recorder:
    """Hands results in batches to `write`, until that succeeds."""

    def __init__(self, write: Callable[[Sequence[Result]], None]) -> None:
        self._write = write
        self._results: list[Result] = []
        lock = threading.Lock()
        self._has_some, self._has_room = threading.Condition(lock), threading.Condition(lock)
        self._ends_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def add(self, result: Result) -> None:
        """Queue one result; the caller rests where a whole batch waits."""
        with self._has_room:
            self._has_room.wait_for(self._is_taking)
            self._results.append(result)
            if len(self._results) in {1, BATCH}:
                self._has_some.notify()

    def close(self) -> None:
        """Write what is queued, and end."""
        with self._has_some:
            self._ends_at = time.monotonic() + LAST_SECONDS
            self._has_some.notify()
            self._has_room.notify_all()
        self._thread.join()

    def _is_taking(self) -> bool:
        return len(self._results) < BATCH or self._ends_at is not None

    def _run(self) -> None:
        calm = 0.0
        while batch := self._next(calm):
            began = time.monotonic()
            self._keep_writing(batch)
            # The next may grow meanwhile: more rows for the same effort.
            calm = min(REST * (time.monotonic() - began), PAUSE_SECONDS)

    def _next(self, calm: float) -> list[Result]:
        """What waits after a calm, or earlier when it is a batch; nothing at the end."""
        with self._has_some:
            self._has_some.wait_for(lambda: not self._is_taking(), calm)
            self._has_some.wait_for(lambda: self._results or self._ends_at is not None)
            batch, self._results = self._results, []
            self._has_room.notify_all()
        return batch

    def _keep_writing(self, results: Sequence[Result]) -> None:
        while True:
            try:
                return self._write(results)
            except (DataError, ValueError) as error:
                # Trying again cannot help, and the others must not wait for it.
                return self._keep_each(results, error)
            except (SQLAlchemyError, Unavailable) as error:
                log.warning("results could not be written: %s", error)
            if self._ends_at is not None and time.monotonic() > self._ends_at:
                return None
            time.sleep(AGAIN_SECONDS)

    def _keep_each(self, results: Sequence[Result], error: Exception) -> None:
        """Write each alone; of the one that no database takes only that it came to nothing."""
        if len(results) > 1:
            for result in results:
                self._keep_writing([result])
            return
        [result] = results
        if result.outcome is _UNWRITABLE:
            log.error("a result was lost: %s", error)
            return
        log.warning("a result could not be written as it was: %s", error)
        self._keep_writing([replace(result, outcome=_UNWRITABLE)])
