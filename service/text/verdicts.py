"""What became of an error in a later text of its article."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from service.text.locating import Anchor, is_whole, locate
from service.text.passages import Selector

Outcome = Literal["applied", "present", "changed", "gone"]


class Verdict(NamedTuple):
    """`applied`: one of the suggestions is in the passage's place, `present`: still as reported,
    `changed`: other words are there, `gone`: the passage is not found.
    """

    outcome: Outcome
    anchor: Anchor


def verdict(selector: Selector, suggestions: Sequence[str], text: str) -> Verdict:
    """Say whether a text still has the error, and where."""
    anchor = locate(selector, text, suggestions)
    if anchor.start is None or anchor.end is None:
        return Verdict("gone", anchor)
    if anchor.state != "changed":
        return Verdict("present", anchor)
    is_there = _is_between if anchor.start == anchor.end else is_whole
    is_applied = text[anchor.start : anchor.end] in suggestions and is_there(
        selector, text, anchor.start, anchor.end
    )
    return Verdict("applied" if is_applied else "changed", anchor)


def _is_between(selector: Selector, text: str, start: int, end: int) -> bool:
    """Are words that were taken out gone on both sides: is the text's edge where no context is?"""
    return bool(selector.prefix or start == 0) and bool(selector.suffix or end == len(text))
