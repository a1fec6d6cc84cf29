"""The demo's articles as a content system has them: corrections are put into them while it runs."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from markupsafe import escape

from service.text import article_text

Answer = dict[str, str]
"""`{"result": …, "detail": …}`, as `docs/webhooks.md` asks for."""


@dataclass(slots=True)
class Articles:
    """What was put into each article, in memory; `draw` gives an article's page as it is written.

    `draw` answers None for an article that there is not.
    """

    draw: Callable[[str], str | None]
    edits: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    told: dict[str, Answer] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def shown(self, slug: str) -> str | None:
        """An article's page with everything that was put into it."""
        page = self.draw(slug)
        for wanted in self.edits[slug] if page is not None else ():
            page = _changed(page or "", wanted) or page
        return page

    def apply(self, message_id: str, wanted: dict[str, Any]) -> Answer:
        """Put a correction into its article; a message that came before is answered as before."""
        with self.lock:
            if message_id not in self.told:
                self.told[message_id] = self._apply(wanted)
            return self.told[message_id]

    def _apply(self, wanted: dict[str, Any]) -> Answer:
        slug = urlsplit(wanted["article"]["url"]).path.rpartition("/")[2]
        page = self.shown(slug)
        if page is None:
            return {"result": "not_found", "detail": "There is no such article here."}
        text = article_text(page)
        before, exact, after = wanted["prefix"], wanted["exact"], wanted["suffix"]
        found = text.count(before + exact + after)
        if not found and before + wanted["wording"] + after in text:
            return {"result": "already_applied"}
        if not found and exact not in text:
            return {"result": "not_found", "detail": "The article does not say this any more."}
        if found != 1 or _changed(page, wanted) is None:
            return {"result": "conflict", "detail": "These words cannot be replaced safely here."}
        self.edits[slug].append(wanted)
        return {"result": "applied"}


def _changed(page: str, wanted: dict[str, Any]) -> str | None:
    """The page with the one change after which its text is as wanted; None where none does that."""
    before, exact, after = wanted["prefix"], wanted["exact"], wanted["suffix"]
    text = article_text(page)
    start = text.find(before + exact + after) + len(before)
    expected = text[:start] + wanted["wording"] + text[start + len(exact) :]
    source, wording = str(escape(exact)), str(escape(wanted["wording"]))
    tries = (page[:at] + wording + page[at + len(source) :] for at in _places(page, source))
    return next((changed for changed in tries if article_text(changed) == expected), None)


def _places(page: str, source: str) -> Iterator[int]:
    at = page.find(source)
    while at >= 0:
        yield at
        at = page.find(source, at + 1)
