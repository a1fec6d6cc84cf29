"""Callers in an event loop: plain functions in greenlets, beside which the loop goes on."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

Result = TypeVar("Result")


def is_in_one() -> bool:
    """Whether the caller is a greenlet of an event loop; all others have a thread of their own."""
    return in_greenlet()


def beside(work: Callable[[], None]) -> None:
    """Have a thread do work that the caller in a loop does not wait for."""
    asyncio.get_running_loop().run_in_executor(None, work)


def aside(work: Callable[[], Result]) -> Result:
    """What work that may have to wait returns; where the caller is in a loop, a thread does it."""
    if not is_in_one():
        return work()
    return await_only(asyncio.get_running_loop().run_in_executor(None, work))
