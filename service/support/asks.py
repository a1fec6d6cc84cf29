"""An ask as a reader's page gets it: in one language, with links that say where they stood."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from service.models import Campaign, Site
from service.snapshots import instant
from service.support import campaigns
from service.support import lines as site_lines

PLACE = "{place}"
"""Left in the links: only the page knows where the ask stands."""


def shown(
    session: Session, site: Site, locale: str, *, now: datetime, ahead: timedelta = timedelta()
) -> list[dict[str, Any]]:
    """The campaigns of this moment and the time ahead, as a page in this language shows them."""
    return [
        _ask(campaign, site, locale)
        for campaign in campaigns.running(session, site.id, now=now, ahead=ahead)
        if not campaign.languages or best(campaign.languages, locale)
    ]


def lines(session: Session, site: Site, locale: str) -> dict[str, Any]:
    """The appeal to readers with ad blockers and the rule for quoting; None where one is off."""
    found = site_lines.find(session, site.id)
    if found is None:
        return {"appeal": None, "quote": None}
    return {
        "appeal": {"to": found.appeal_to, "text": _of(found.appeal_texts, locale, site)}
        if found.appeal_to
        else None,
        "quote": {"from": found.quote_from, "text": _of(found.quote_texts, locale, site)}
        if found.quote_from
        else None,
    }


def best(tags: Sequence[str], locale: str) -> str | None:
    """The tag among `tags` that serves a locale (RFC 4647, 3.4, lookup), in any case."""
    known = {tag.lower(): tag for tag in tags}
    parts = locale.lower().split("-")
    for length in range(len(parts), 0, -1):
        if found := known.get("-".join(parts[:length])):
            return found
    return None


def _of(texts: Mapping[str, Any], locale: str, site: Site) -> Any:
    """The text for a locale, else in the site's language, else in whatever language there is."""
    tags = list(texts)
    found = best(tags, locale) or best(tags, site.language) or next(iter(tags), None)
    return "" if found is None else texts[found]


def _ask(campaign: Campaign, site: Site, locale: str) -> dict[str, Any]:
    return {
        "key": campaign.key,
        "starts_at": instant(campaign.starts_at),
        "ends_at": instant(campaign.ends_at),
        "places": campaign.places,
        "sections": campaign.sections,
        "tags": campaign.tags,
        "after_articles": campaign.after_articles,
        "max_views": campaign.max_views,
        "period_days": campaign.period_days,
        "quiet_days": campaign.quiet_days,
        "image_url": campaign.image_url,
        "variants": [_variant(campaign, variant, site, locale) for variant in campaign.variants],
    }


def _variant(
    campaign: Campaign, variant: dict[str, Any], site: Site, locale: str
) -> dict[str, Any]:
    text = _of(variant["texts"], locale, site)
    added = campaign.link_parameters
    told = {"site": quote(site.key), "campaign": campaign.key, "variant": variant["key"]}
    for name, value in told.items():
        added = added.replace(f"{{{name}}}", value)
    linked = {
        kind: [{**way, "url": with_parameters(way["url"], added)} for way in text[kind]]
        for kind in ("ways", "amounts")
    }
    return {"key": variant["key"], "weight": variant["weight"], **text, **linked}


def with_parameters(url: str, added: str) -> str:
    """The address with more parameters in its query, before its fragment."""
    if not added:
        return url
    address, mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{added}{mark}{fragment}"
