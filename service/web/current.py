"""What a request needs of the application: its database, settings and clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, current_app
from flask_limiter._limits import RuntimeLimit

from service.db import Database
from service.models import Site
from service.settings import Settings

NAME = "corrigenda"


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site as it was read: good until this process writes, or some moments later."""

    site: Site
    changes: int
    """The database's changes before it was read."""
    until: float
    """By the monotonic clock, in seconds."""


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
    sites: dict[str, KnownSite] = field(default_factory=dict)
    """By their keys, as they were read lately."""
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
