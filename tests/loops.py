"""Event loops of a test's own: browsers' drivers keep one running in the main thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_in_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, run by a loop in another thread; raises what it raises."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
