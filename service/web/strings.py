"""What the widget is told: texts of its language, limits and links."""

from typing import Any

from service.catalogues import spoken
from service.models import Site
from service.web.schemas import ReportIn, Target, Text


def widget(site: Site, locale: str) -> dict[str, Any]:
    """The answer to the widget's one question, without what a page's places show."""
    found = spoken("widget", site, locale)
    offered = {f"category_{each}" for each in site.categories}
    return {
        "locale": found.locale,
        "dir": found.direction,
        "strings": {
            name: words
            for name, words in found.words.items()
            if name in offered or not name.startswith("category_")
        },
        "limits": limits(site),
        "links": {"privacy": site.privacy_url, "contact": site.contact_url},
        "article_selector": site.article_selector,
    }


def beside(site: Site, locale: str) -> dict[str, Any]:
    """The little of it that a page's places need."""
    found = spoken("widget", site, locale)
    return {
        "locale": found.locale,
        "dir": found.direction,
        "strings": {"close": found.words["close"]},
        "article_selector": site.article_selector,
    }


def limits(site: Site) -> dict[str, int]:
    """The caps of what a reader may send, by name, in code points."""
    report, target = ReportIn().fields, Target().fields
    caps = {
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
