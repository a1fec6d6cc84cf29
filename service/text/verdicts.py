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
    is_applied = text[anchor.start : anchor.end] in suggestions and (
        anchor.start == anchor.end or is_whole(selector, text, anchor.start, anchor.end)
    )
    return Verdict("applied" if is_applied else "changed", anchor)
