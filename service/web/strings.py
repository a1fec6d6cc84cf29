"""The widget's strings, one file a language, and everything else it needs to open."""

import json
from functools import cache
from importlib import resources
from typing import Any

from service.models import Category, Site
from service.web.schemas import ReportIn, Target, Text, TextQuoteSelector

FALLBACK = "en"
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "ur", "yi"})


@cache
def catalogues() -> dict[str, dict[str, Any]]:
    """All languages by their BCP 47 tag in lower case."""
    folder = resources.files("service") / "strings"
    return {
        file.name.removesuffix(".json").lower(): json.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


def best_locale(*wanted: str) -> str:
    """The first wanted language there are strings for (RFC 4647 lookup), else English."""
    for tag in wanted:
        parts = tag.replace("_", "-").lower().split("-")
        for length in range(len(parts), 0, -1):
            found = "-".join(parts[:length])
            if found in catalogues():
                return found
            if found == "zh" and "zh-hans" in catalogues():
                return "zh-hans"
    return FALLBACK


def direction(locale: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if locale.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def widget(site: Site, locale: str) -> dict[str, Any]:
    """The answer to the widget's one question."""
    chosen = best_locale(locale, site.language)
    strings = {
        name: text for name, text in catalogues()[chosen].items() if not name.startswith("_")
    }
    return {
        "locale": chosen,
        "dir": direction(chosen),
        "strings": strings,
        "limits": _limits(site),
        "categories": [category.value for category in Category],
        "links": {"privacy": site.privacy_url, "contact": site.contact_url},
        "article_selector": site.article_selector,
        "campaign": None,
    }


def _limits(site: Site) -> dict[str, int]:
    report, target, quote = ReportIn().fields, Target().fields, TextQuoteSelector().fields
    caps = {
        "prefix": quote["prefix"],
        "suffix": quote["suffix"],
        "suggestion": report["suggestion"],
        "comment": report["comment"],
        "email": report["email"],
        "title": target["title"],
        "url": target["source"],
    }
    return {
        "exact": site.excerpt_limit,
        **{name: field.cap for name, field in caps.items() if isinstance(field, Text)},
    }
