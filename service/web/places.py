"""What the widget shows on a page: its published corrections, asks and the lines beside them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from service import catalogues
from service.models import Place, Site
from service.record import entries
from service.record.entries import Narrowed
from service.support import asks
from service.web import record

WORDS = ("already", "later", "supported", "closed", "amounts", "copy")
MOST = 20
"""So many corrections are shown by an article; the record has the others."""

ELEMENTS = {"corrections": "corrigenda-corrections", "support": "corrigenda-support"}
"""What the parts put into a page, by what is shown in it."""

FILES = {"corrections": "places.js", "support": "support.js"}

CLOSED = (
    'for(const place of document.querySelectorAll("[data-corrigenda=support]"))'
    "if(place.getBoundingClientRect().top>=innerHeight)place.hidden=true;"
)
"""A height that is reserved for asks, where there are none, goes while it is out of view."""


def script(told: dict[str, Any], folder: Path) -> str:
    """JavaScript that shows in a page's places what the service has for them.

    Tells the widget first, then holds the parts in `folder` that have something to show; what the
    others showed of an earlier page is removed. Overtaken by a later question, it does nothing.
    """
    shown = [name for name in FILES if name in told]
    gone = ",".join(element for name, element in ELEMENTS.items() if name not in shown)
    # JSON is JavaScript (ES2019), whatever is written in its texts.
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    empty = f'for(const old of document.querySelectorAll("{gone}"))old.remove();' if gone else ""
    empty += "" if "support" in shown else CLOSED
    begin = (
        "(me=>me.start?.(widget=>{if(widget.asked!==me.src)return delete me.start;"
        f"{empty}widget.told={text}}}))(document.currentScript);"
    )
    parts = [(folder / FILES[name]).read_text(encoding="utf-8") for name in shown]
    return "\n".join([begin, *parts])


def about(session: Session, site: Site, url: str, locale: str, *, now: datetime) -> dict[str, Any]:
    """What there is to show beside an article: `corrections`, where it has some."""
    found = entries.page(session, site, Narrowed(url=url), now=now, limit=MOST).entries
    return {"corrections": _corrections(site, found, locale)} if found else {}


def support(
    session: Session, site: Site, locale: str, *, now: datetime, ahead: timedelta, has_place: bool
) -> dict[str, Any]:
    """The asks that may be shown until `ahead` of now, the two lines, and words for them.

    `campaign` is the ask under the thanks at this moment. Without a place on the page only what
    needs none: asks under the thanks and the rule for quoting.
    """
    found = asks.shown(session, site, locale, now=now, ahead=ahead)
    thanks = [ask for ask in found if Place.THANKS in ask["places"]]
    shown = found if has_place else thanks
    lines = asks.lines(session, site, locale)
    appeal = lines["appeal"] if has_place else None
    told = {"asks": shown, "appeal": appeal, "quote": lines["quote"]}
    campaign = next((ask for ask in thanks if _is_on(ask, now)), None)
    if not any(told.values()):
        return {"campaign": campaign}
    words = catalogues.spoken("support", site, locale).words
    return {
        "campaign": campaign,
        "support": {**told, "words": {each: words[each] for each in WORDS}},
    }


def _is_on(ask: dict[str, Any], now: datetime) -> bool:
    return ask["starts_at"] is None or datetime.fromisoformat(ask["starts_at"]) <= now


def _corrections(site: Site, found: Sequence[dict[str, Any]], locale: str) -> dict[str, Any]:
    text = catalogues.spoken("places", site, locale)
    return {
        "heading": text("corrections"),
        "more": text("record"),
        "record_url": record.home(site),
        "items": [_item(record.linked(site, entry), text) for entry in found],
    }


def _item(entry: dict[str, Any], text: catalogues.Texts) -> dict[str, Any]:
    label = "withdrawn" if entry["withdrawn_at"] else entry["kind"]
    shown = ("url", "published_at", "said", "says", "note")
    return {"label": text(label), **{name: entry[name] for name in shown}}
