"""What a request needs of the application: its database, settings and clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from service.db import Database
from service.settings import Settings

NAME = "corrigenda"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts an application is wired from."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    on_event: Callable[[], None]
    """Called after a commit that may have written events: wakes a worker in this process."""


def parts() -> Parts:
    """The parts of the current application."""
    found: Parts = current_app.extensions[NAME]
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
