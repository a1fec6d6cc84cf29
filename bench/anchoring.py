"""The service's search for passages in the shape that scorers of such searches call."""

from typing import Any

from service.text import Anchor, Selector, Verdict, verdict
from service.text import locate as locate_passage


def selector_of(case: dict[str, Any]) -> Selector:
    return Selector(case["exact"], case["prefix"], case["suffix"], case.get("start"))


def suggestions_of(case: dict[str, Any]) -> tuple[str, ...]:
    suggestion = case.get("suggestion")
    return () if suggestion is None else (suggestion,)


def locate(selector: dict[str, Any], text: str) -> tuple[int, int] | None:
    anchor: Anchor = locate_passage(selector_of(selector), text, suggestions_of(selector))
    return None if anchor.start is None or anchor.end is None else (anchor.start, anchor.end)


def applied(selector: dict[str, Any], text: str) -> bool:
    found: Verdict = verdict(selector_of(selector), suggestions_of(selector), text)
    return found.outcome == "applied"
