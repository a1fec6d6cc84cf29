"""Several threads that do the same at the same instant."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from service.db import Database
from tests.servers import PATIENCE, wait_until

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def at_once(act: Callable[[], Any], times: int = 2) -> list[Any]:
    """What each gave back, or the exception it raised."""
    barrier, results = threading.Barrier(times), list[Any]()

    def run() -> None:
        barrier.wait()
        try:
            results.append(act())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def wait_for_waiting(database: Database) -> None:
    """Wait until somebody has read what another one changes, and waits to change it too.

    On SQLite nobody reads what they are to change until the other one has ended.
    """

    def is_waiting() -> bool:
        with database.read() as session:
            return bool(session.scalar(_WAITING))

    if not database.is_sqlite:
        wait_until(is_waiting, PATIENCE, "somebody waits for a lock")
