"""The desk's languages and time zones: each editor's own, by gettext and Babel."""

from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g, request
from flask_babel import Babel, format_decimal, get_locale, get_translations

from service.accounts.principals import Principal

DESK = {"en": "English", "uk": "Українська"}
"""Each language by its own name; all but English have a catalogue in `service/translations`."""


def register(app: Flask) -> None:
    """Choose language and time zone for each request; give templates their words for it."""
    Babel(app, locale_selector=_language, timezone_selector=_time_zone)
    app.jinja_env.globals.update(get_locale=get_locale, counted=counted)


def counted(one: str, many: str, number: int) -> str:
    """`1 reader`, `1,200 readers`: a text of the catalogue whose `%(num)s` is the number."""
    text: str = get_translations().ungettext(one, many, number)
    return text % {"num": format_decimal(number)}


def _language() -> str:
    asking = _asking()
    if asking and asking.locale in DESK:
        return asking.locale
    return request.accept_languages.best_match(DESK) or "en"


def _time_zone() -> tzinfo:
    asking = _asking()
    try:
        return ZoneInfo(asking.time_zone if asking and asking.time_zone else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _asking() -> Principal | None:
    found: Any = g.get("principal")
    return found if isinstance(found, Principal) else None
