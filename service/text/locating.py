"""Where a passage is in a text that may have changed since."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from service.text.evidence import weight
from service.text.passages import Selector
from service.text.similar import SOLID, most_similar
from service.text.words import is_edge
from service.text.words import words as words_of

State = Literal["exact", "moved", "changed", "orphaned"]


class Anchor(NamedTuple):
    """Where a passage is now, and how that is known.

    `exact`: verbatim where it was; `moved`: verbatim elsewhere; `changed`: other words are in its
    place, from `start` to `end` (equal if none are left); `orphaned`: nowhere, both are None.
    Positions are code points.
    """

    state: State
    start: int | None
    end: int | None


ORPHANED = Anchor("orphaned", None, None)

# Less context than this says nothing about which of several equal passages is meant.
_LEAST_CONTEXT = 8
_SHORTER = 16
_WORDINGS = 5


def locate(selector: Selector, text: str, suggestions: Sequence[str] = ()) -> Anchor:
    """Find the passage, or what it was corrected to, in a text; rather nowhere than wrongly.

    Takes time linear in the length of the text, whatever is in it. Of the suggestions the first
    few are looked for.
    """
    others = dict.fromkeys(words for words in suggestions if words != selector.exact)
    wordings = (selector.exact, *others)[:_WORDINGS]
    span = (
        _verbatim(selector, wordings, text)
        or _between_shorter(selector, wordings, text)
        or _alike(selector, wordings, text)
    )
    if span is None:
        return ORPHANED
    start, end = span
    if text[start:end] != selector.exact:
        return Anchor("changed", start, end)
    return Anchor("exact" if start == selector.start else "moved", start, end)


def is_whole(selector: Selector, text: str, start: int, end: int) -> bool:
    """Do words begin and end with a wording wherever they would between the passage's contexts?

    `start` and `end` are where the wording stands in the text.
    """
    first, last = len(selector.prefix), len(selector.prefix) + end - start
    meant = selector.prefix + text[start:end] + selector.suffix
    return all(
        is_edge(text, at) or not is_edge(meant, meant_at)
        for at, meant_at in ((start, first), (end, last))
    )


def _verbatim(selector: Selector, wordings: Sequence[str], text: str) -> tuple[int, int] | None:
    """A wording between its whole contexts, nearest to where it was."""
    prefix, suffix = selector.prefix, selector.suffix
    expected = None if selector.start is None else selector.start - len(prefix)
    has_context = len(prefix) + len(suffix) >= _LEAST_CONTEXT
    found: tuple[int, int, int] | None = None
    # The longer first: at the end of the text, where nothing follows, it may begin with the other.
    for words in sorted(wordings, key=len, reverse=True):
        at = _nearest(text, prefix + words + suffix, expected)
        if at is None or not (has_context or at == expected):
            continue
        distance = 0 if expected is None else abs(at - expected)
        if found is None or distance < found[0]:
            start = at + len(prefix)
            found = distance, start, start + len(words)
            if distance == 0:
                break
    return None if found is None else found[1:]


def _between_shorter(
    selector: Selector, wordings: Sequence[str], text: str
) -> tuple[int, int] | None:
    """A wording between the nearer parts of both contexts, if the text has that only once."""
    prefix, suffix = selector.prefix[-_SHORTER:], selector.suffix[:_SHORTER]
    if min(len(prefix), len(suffix)) < _SHORTER:
        return None
    for words in wordings:
        needle = prefix + words + suffix
        at = text.find(needle)
        if at >= 0 and text.find(needle, at + 1) < 0:
            return at + len(prefix), at + len(prefix) + len(words)
    return None


def _nearest(text: str, needle: str, expected: int | None) -> int | None:
    """Where the needle begins, nearest to the expected place."""
    if expected is not None and expected >= 0 and text.startswith(needle, expected):
        return expected
    first = text.find(needle)
    if first < 0:
        return None
    if expected is None or expected <= first or text.find(needle, first + 1) < 0:
        return first
    after = text.find(needle, expected)
    # CPython searches backwards in quadratic time at worst, but forwards in linear time.
    head = text[: expected - 1 + len(needle)]
    before = len(head) - len(needle) - head[::-1].find(needle[::-1])
    return after if after >= 0 and after - expected < expected - before else before


def _alike(selector: Selector, wordings: Sequence[str], text: str) -> tuple[int, int] | None:
    """The place that is most like the passage, and there a wording rather than other words."""
    span = most_similar(selector, wordings, text)
    if span is None:
        return None
    return _wording_around(selector, wordings, text, *_wording_within(wordings, text, *span))


def _wording_within(wordings: Sequence[str], text: str, start: int, end: int) -> tuple[int, int]:
    """The words of the longest wording that stands whole in a span, or else the span."""
    if text[start:end] in wordings:
        return start, end
    edges = set(accumulate(map(len, words_of(text[start:end])), initial=start))
    for wording in sorted(wordings, key=len, reverse=True):
        at = text.find(wording, start, end) if weight(wording) >= SOLID else -1
        if at >= 0 and {at, at + len(wording)} <= edges:
            return at, at + len(wording)
    return start, end


def _wording_around(
    selector: Selector, wordings: Sequence[str], text: str, start: int, end: int
) -> tuple[int, int]:
    """The words of the longest wording that stands whole around a span, or else the span."""
    longer = [wording for wording in wordings if len(wording) > end - start > 0]
    for wording in sorted(longer, key=len, reverse=True):
        at = text.find(wording, max(0, end - len(wording)), start + len(wording))
        if at >= 0 and is_whole(selector, text, at, at + len(wording)):
            return at, at + len(wording)
    return start, end
