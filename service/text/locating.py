"""Where a passage is in a text that may have changed since."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import log2, sqrt
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel, Opcode

from service.text.passages import Selector
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

_PARAGRAPH = "\n\n"
_DENSE = re.compile("[\u2e80-\U0010ffff]")

# Less context than this says nothing about which of several equal passages is meant.
_LEAST_CONTEXT = 8
_SHORTER = 16
_WORDINGS = 5

# A piece that is found this often is no clue.
_MANY = 40
_SEEDS_PER_SIDE = 3
_PLACES = 8
_SLACK = 24

# A common run shorter than this is chance.
_SOLID = 4
# How sure is enough, and how sure is so sure that no other place is looked at.
_ENOUGH = 13.3
_SURE = 16.5


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
        or _similar(selector, wordings, text)
    )
    if span is None:
        return ORPHANED
    start, end = _wording_within(wordings, text, *span)
    if text[start:end] != selector.exact:
        return Anchor("changed", start, end)
    return Anchor("exact" if start == selector.start else "moved", start, end)


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
    before = expected - 1 - text[: expected - 1 + len(needle)][::-1].find(needle[::-1])
    return after if after >= 0 and after - expected < expected - before else before


def _wording_within(wordings: Sequence[str], text: str, start: int, end: int) -> tuple[int, int]:
    """The words of the longest wording that stands whole in a span, or else the span."""
    if text[start:end] in wordings:
        return start, end
    edges = set(accumulate(map(len, words_of(text[start:end])), initial=start))
    for wording in sorted(wordings, key=len, reverse=True):
        at = text.find(wording, start, end) if _weight(wording) >= _SOLID else -1
        if at >= 0 and {at, at + len(wording)} <= edges:
            return at, at + len(wording)
    return start, end


class _Fit(NamedTuple):
    score: float
    start: int
    end: int


def _similar(selector: Selector, wordings: Sequence[str], text: str) -> tuple[int, int] | None:
    """The place that is most like the passage in its context, if it is like it enough."""
    best: _Fit | None = None
    for place in _places(selector, wordings, text):
        for words in wordings:
            fit = _fit(selector, words, text, place)
            if fit is not None and (best is None or fit.score > best.score):
                best = fit
        if best is not None and best.score >= _SURE:
            break
    return (best.start, best.end) if best is not None and best.score >= _ENOUGH else None


def _places(selector: Selector, wordings: Sequence[str], text: str) -> list[int]:
    """Where the quote may begin, by verbatim pieces of it and its context; the likeliest first."""
    votes: dict[int, float] = {}
    for seed, offset in _seeds(selector, wordings):
        found = _occurrences(text, seed)
        for at in found:
            votes[at - offset] = votes.get(at - offset, 0) + 1 / len(found)
    # Places near each other are one, where most pieces say it is.
    near = max(_SLACK, len(selector.exact))
    groups: list[list[int]] = []
    for place in sorted(votes):
        if groups and place - groups[-1][-1] <= near:
            groups[-1].append(place)
        else:
            groups.append([place])
    groups.sort(key=lambda group: -sum(votes[place] for place in group))
    return [max(group, key=lambda place: votes[place]) for group in groups[:_PLACES]]


def _seeds(selector: Selector, wordings: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Pieces of the passage and where they lie, from the quote's beginning."""
    for piece, offset in _pieces(selector.prefix[::-1]):
        yield piece[::-1], -offset - len(piece)
    for piece, offset in _pieces(selector.suffix):
        yield piece, offset + len(selector.exact)
    for words in wordings:
        size = _seed_size(words)
        if len(words) >= size // 2:
            yield words[:size], 0
        if len(words) >= 2 * size:
            yield words[-size:], len(selector.exact) - size


def _pieces(context: str) -> Iterator[tuple[str, int]]:
    size = _seed_size(context)
    for start in range(0, min(_SEEDS_PER_SIDE * size, len(context) - size + 1), size):
        yield context[start : start + size], start


def _seed_size(text: str) -> int:
    return 10 if _weight(text) < 2 * len(text) else 5


def _weight(text: str) -> int:
    """How much a text says: an ideograph or syllable as much as three letters."""
    return len(text) if text.isascii() else len(text) + 2 * len(_DENSE.findall(text))


def _occurrences(text: str, seed: str) -> list[int]:
    found: list[int] = []
    at = text.find(seed)
    while at >= 0:
        found.append(at)
        if len(found) == _MANY:
            return []
        at = text.find(seed, at + 1)
    return found


def _fit(selector: Selector, words: str, text: str, place: int) -> _Fit | None:
    """Lay the passage over the text at a place: which span is its quote's, and how sure is that?

    What counts: how alike the whole window and the quote are, how much they have in common that
    the text has nowhere else, and how near it is to where it was. The weights are those of a
    logistic regression over real corrections, rounded.
    """
    prefix = selector.prefix.rpartition(_PARAGRAPH)[2]
    suffix = selector.suffix.partition(_PARAGRAPH)[0]
    needle = prefix + words + suffix
    low, high = _window(text, place, len(prefix), len(words), len(suffix))
    local = text[low:high]
    runs = [
        run
        for run in Indel.opcodes(needle, local)
        if run.tag == "equal" and _weight(needle[run.src_start : run.src_end]) >= _SOLID
    ]
    if not runs:
        return None
    start = low + _mapped(runs, len(prefix), is_end=False)
    end = low + _mapped(runs, len(prefix) + len(words), is_end=True)
    start, end = sorted((min(max(low, start), high), min(max(low, end), high)))
    before, after = len(selector.prefix), len(selector.suffix)
    whole = selector.prefix + words + selector.suffix
    alike, unique = _agreement(
        whole,
        text[max(0, start - before) : end + after],
        range(before - len(prefix), before + len(words) + len(suffix)),
        text,
    )
    distance = 0 if selector.start is None else abs(start - selector.start)
    if not unique and distance:
        return None
    score = (
        12 * alike
        + 4 * Indel.normalized_similarity(words, text[start:end])
        + sqrt(unique) / 2
        - log2(1 + distance) / 5
    )
    return _Fit(score, start, end)


def _agreement(passage: str, window: str, inner: range, text: str) -> tuple[float, int]:
    """How alike passage and window are, from 0 to 1, and how much in common is found only once.

    The latter is the weight of what the common runs cover of the inner part of the passage.
    """
    common = unique = 0
    for run in Indel.opcodes(passage, window):
        if run.tag != "equal":
            continue
        common += run.src_end - run.src_start
        covered = _weight(passage[max(run.src_start, inner.start) : min(run.src_end, inner.stop)])
        if run.src_end > inner.start and covered >= _SOLID:
            piece = passage[run.src_start : run.src_end]
            if text.find(piece, text.find(piece) + 1) < 0:
                unique += covered
    return 2 * common / (len(passage) + len(window)), unique


def _window(text: str, place: int, before: int, words: int, after: int) -> tuple[int, int]:
    """The part of a place's paragraph in which the passage could lie."""
    slack = _SLACK + words
    inside = min(max(place, 0), len(text))
    low = max(0, place - before - slack)
    high = max(inside, min(len(text), place + words + after + slack))
    edge = text.rfind(_PARAGRAPH, low, inside)
    if edge >= 0:
        low = edge + len(_PARAGRAPH)
    edge = text.find(_PARAGRAPH, inside, high)
    return low, high if edge < 0 else edge


def _mapped(runs: Sequence[Opcode], position: int, *, is_end: bool) -> int:
    """Where a position of the passage lies in the text that its common runs were found in."""
    before = after = None
    for run in runs:
        if run.src_start + is_end <= position < run.src_end + is_end:
            return run.dest_start + position - run.src_start
        if run.src_end <= position:
            before = run
        elif after is None:
            after = run
    if before is None or after is None:
        # Outside of all runs: as far from the nearest as in the passage.
        if before is not None:
            return before.dest_end + position - before.src_end
        return after.dest_start - (after.src_start - position) if after is not None else 0
    share = (position - before.src_end) / max(1, after.src_start - before.src_end)
    return before.dest_end + round(share * (after.dest_start - before.dest_end))
