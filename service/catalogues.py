"""The readers' texts: one file a language, in groups by who shows them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from service.models import Site

FALLBACK = "en"
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "ur", "yi"})


@cache
def every() -> dict[str, dict[str, Any]]:
    """All languages by their BCP 47 tag in lower case: groups of texts, and lines beginning `_`."""
    folder = resources.files("service") / "strings"
    return {
        file.name.removesuffix(".json").lower(): json.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


def best_locale(*wanted: str) -> str:
    """The first wanted language there are texts for (RFC 4647 lookup), else English."""
    return next(filter(None, map(_locale, wanted)), FALLBACK)


def _locale(tag: str) -> str | None:
    parts = tag.replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        found = "-".join(parts[:length])
        if found in every():
            return found
        if found == "zh" and "zh-hans" in every():
            return "zh-hans"
    return None


def direction(locale: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if locale.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


@dataclass(frozen=True)
class Texts:
    """One group's texts in one language, to be called with a text's name."""

    locale: str
    words: Mapping[str, str | Mapping[str, str]]

    @property
    def direction(self) -> str:
        """`rtl` or `ltr`."""
        return direction(self.locale)

    def __call__(self, name: str, n: int = 0, **values: str) -> str:
        """The text of a name in the plural form for `n`, with `{n}` and other values put in.

        Raises KeyError for a name that the group does not have.
        """
        locale = Locale.parse(self.locale, sep="-")
        words = self.words[name]
        text = words if isinstance(words, str) else words[locale.plural_form(n)]
        given = {"n": format_decimal(n, locale=locale), **values}
        # A value that ends as its sentence does, as "2026 р.", ends it.
        return re.sub(
            r"\{(\w+)\}(\.?)", lambda found: given[found[1]].removesuffix(found[2]) + found[2], text
        )

    def date(self, moment: str | datetime) -> str:
        """The day (UTC) in words."""
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return format_date(at, "long", locale=Locale.parse(self.locale, sep="-"))

    def month(self, month: str) -> str:
        """A month as in `2026-03` in words."""
        at = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        return format_skeleton("yMMMM", at, locale=Locale.parse(self.locale, sep="-"))


def texts(group: str, *wanted: str) -> Texts:
    """A group's texts in the first wanted language there is, else English."""
    locale = best_locale(*wanted)
    return Texts(locale, every()[locale][group])


def spoken(group: str, site: Site, *wanted: str) -> Texts:
    """A group's texts in the first wanted language that the site speaks, else in the site's own."""
    speaks = {_locale(tag) for tag in site.languages}
    heard = [tag for tag in wanted if not speaks or _locale(tag) in speaks]
    return texts(group, *heard, site.language)
