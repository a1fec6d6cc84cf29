"""A thread that writes results down, as many at once as have come in."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from service.dispatch.results import Result
from service.errors import Unavailable

BATCH = 500
BEHIND = 250
"""From so many results that wait, whoever brings one rests: what is sent and not written down
is sent again after a kill."""
PAUSE_SECONDS = 0.1
AGAIN_SECONDS = 0.5
LAST_SECONDS = 5.0
"""How long a stopping worker tries; what stays unwritten is sent again, under the same id."""

log = logging.getLogger(__name__)


class Recorder:
    """Hands results in batches to `write`, until that succeeds."""

    def __init__(self, write: Callable[[Sequence[Result]], None]) -> None:
        self._write = write
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._ends_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def add(self, result: Result) -> None:
        """Queue one result; the caller rests a little where many wait."""
        self._results.put(result)
        if self._results.qsize() > BEHIND and self._ends_at is None:
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Write what is queued, and end."""
        self._ends_at = time.monotonic() + LAST_SECONDS
        self._results.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch = [self._results.get()]
            while len(batch) < BATCH and not self._results.empty():
                batch.append(self._results.get())
            is_last = None in batch
            if results := [result for result in batch if result is not None]:
                began = time.monotonic()
                self._keep_writing(results)
                # Under load the next batch may grow meanwhile: twice the rows for the same effort.
                time.sleep(min(time.monotonic() - began, PAUSE_SECONDS))

    def _keep_writing(self, results: Sequence[Result]) -> None:
        while True:
            try:
                return self._write(results)
            except (SQLAlchemyError, Unavailable) as error:
                log.warning("results could not be written: %s", error)
            if self._ends_at is not None and time.monotonic() > self._ends_at:
                return None
            time.sleep(AGAIN_SECONDS)
