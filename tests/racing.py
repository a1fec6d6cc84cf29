"""Several threads that do the same at the same instant."""

import threading
from collections.abc import Callable
from typing import Any


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
