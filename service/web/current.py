"""What a request needs of the application: its database, settings and clock."""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from flask import Flask, current_app
from flask_limiter._limits import RuntimeLimit

from service.db import Database
from service.models import Site
from service.settings import Settings

NAME = "corrigenda"


LATELY = timedelta(seconds=1)
"""So long another process's change of what was read may go unseen."""

Value = TypeVar("Value")


class Lately(Generic[Value]):
    """What was read lately, `most` of it: good until this process writes, or for a moment."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._mutex = threading.Lock()
        self._known: dict[Hashable, tuple[Value, int, datetime]] = {}

    def of(self, parts: "Parts", key: Hashable, read: Callable[[], Value]) -> Value:
        """What `read` gave under this key lately, or gives now; raises what it raises."""
        changes, now = parts.database.changes, parts.clock()
        if known := self._known.get(key):
            value, since, at = known
            if since == changes and at <= now < at + LATELY:
                return value
        value = read()
        with self._mutex:
            if key not in self._known and len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[key] = value, changes, now
        return value

    def clear(self) -> None:
        """Forget all of it."""
        self._known.clear()


@dataclass(frozen=True, slots=True)
class KnownLimit:
    """A limit of one endpoint, as the store of limits is asked for it."""

    limit: RuntimeLimit
    scope: str
    before: str
    after: str
    """What stands before and after who asks, in its name there."""
    most: int
    seconds: int

    def name_of(self, who: str) -> str:
        """Under which the store counts somebody."""
        return f"{self.before}{who}{self.after}"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts an application is wired from."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    on_event: Callable[[], None]
    """Called after a commit that may have written events: wakes a worker in this process."""
    sites: Lately[Site] = field(default_factory=lambda: Lately(10_000))
    """By their keys."""
    answers: Lately[str] = field(default_factory=lambda: Lately(64))
    """What every reader is told, by what was asked."""
    limits: dict[tuple[str, ...], Sequence[KnownLimit]] = field(default_factory=dict)
    """By view, endpoint and method that they hold for, as the settings have them."""


def parts() -> Parts:
    """The parts of the current application."""
    return parts_of(current_app)


def parts_of(app: Flask) -> Parts:
    """The parts of an application."""
    found: Parts = app.extensions[NAME]
    return found


def database() -> Database:
    """The database."""
    return parts().database


def settings() -> Settings:
    """The settings."""
    return parts().settings


def now() -> datetime:
    """This instant, in UTC."""
    return parts().clock()
