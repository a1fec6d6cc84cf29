"""A site that asks for support: its campaigns, and what its readers' pages show and count of them."""

import itertools
import json
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.browser.engines import Engine
from tests.browser.widget.conftest import ARTICLE, News
from tests.support.conftest import text

PLACE = '<div data-corrigenda="support"></div>'
ROOT = "document.querySelector('corrigenda-support')?.shadowRoot"
THANKS = (
    "document.querySelector('corrigenda-dialog')?.shadowRoot"
    ".querySelector('corrigenda-support')?.shadowRoot"
)
DAY = 24 * 3600 * 1000

NUMBERS = itertools.count(1)


def call(news: News, method: str, path: str, sent: Any = None) -> Any:
    """Ask the editors' API, past the way that readers' requests are watched on."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{news.way.service_port}/api/v1/campaigns{path}",
        None if sent is None else json.dumps(sent).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {news.token}"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or "null")


@contextmanager
def running(news: News, **changed: Any) -> Iterator[str]:
    """A campaign for as long as a test needs it, under a key that no other has; gives the key."""
    key = f"campaign-{next(NUMBERS)}"
    variants = [{"key": "a", "texts": {"en": text()}}]
    call(news, "PUT", f"/{key}", {"name": key.title(), "variants": variants, **changed})
    try:
        yield key
    finally:
        call(news, "DELETE", f"/{key}")


def page_of(news: News, path: str, body: str = ARTICLE + PLACE, **options: Any) -> str:
    """An article with a place for asks below it; gives its address."""
    # A browser keeps what it was answered for five minutes: each page has an English of its own.
    own = f"en-x-{zlib.crc32(path.encode()):x}"
    return news.publish(path, body, **{"locale": own, **options})


def places(engine: Engine) -> list[str]:
    """Where asks stand on the page now."""
    found: list[str] = engine.evaluate(
        "[...document.querySelectorAll('corrigenda-support')].map((e) => e.getAttribute('place'))"
    )
    return found


def settled(engine: Engine) -> list[str]:
    """Where asks stand once the page has shown what it has heard, which is before its load event."""
    # So long a bait lies in the page before the page looks at it.
    engine.evaluate("new Promise((go) => setTimeout(go, 400))")
    return places(engine)


def press(engine: Engine, name: str, root: str = ROOT) -> None:
    """Press a button of the ask by its words."""
    engine.evaluate(
        f"([...{root}.querySelectorAll('button, a')]"
        f".find((each) => each.textContent === {json.dumps(name)}).click(), 0)"
    )


def counted(news: News, key: str) -> list[tuple[str, str, str]]:
    """What readers' pages have told of a campaign: variant, place, kind."""
    found = [json.loads(body) for body in news.way.posted("/support-events")]
    return [
        (each["variant"], each["place"], each["kind"]) for each in found if each["campaign"] == key
    ]
