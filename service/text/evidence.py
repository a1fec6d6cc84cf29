"""How sure is it that a passage is where it was laid over a text?"""

import re
from collections import Counter
from collections.abc import Sequence
from math import log2, sqrt
from typing import NamedTuple

from rapidfuzz.distance import Indel, Opcode

from service.text.passages import Selector

PARAGRAPH = "\n\n"
# How sure is enough, and how sure is so sure that no other place need be looked at.
ENOUGH = 4.7
SURE = 8.0

_DENSE = re.compile("[\u2e80-\U0010ffff]")
_WORD = re.compile("[\u2e80-\U0010ffff]|\\w+")
# Less context than this in all is no evidence unless the text has it once.
_TELLING = 32
# This much on one side of the marked words, still right beside them, speaks for itself.
_MUCH = 16
# What is left of a paragraph around says where the passage was, and how far away that may be.
_NEIGHBOUR = 8
_NEARBY = 200


class Laid(NamedTuple):
    """A passage laid over a part of a text: what is the same, and where its words came to lie.

    `prefix` and `suffix` are the context in the passage's own paragraph, `runs` the common runs of
    this context with the words and of the text from `low` to `high`.
    """

    prefix: str
    words: str
    suffix: str
    text: str
    low: int
    high: int
    runs: Sequence[Opcode]
    start: int
    end: int


def weight(text: str) -> int:
    """How much a text says: an ideograph or syllable as much as three letters."""
    return len(text) if text.isascii() else len(text) + 2 * len(_DENSE.findall(text))


def sureness(selector: Selector, laid: Laid, *, at_least: float) -> float | None:
    """How sure it is that the passage is there, or None if less than asked for.

    The sum of what speaks for it and against it. The weights are those of a logistic regression
    over real corrections, rounded.
    """
    text, start, end = laid.text, laid.start, laid.end
    needle = laid.prefix + laid.words + laid.suffix
    whole = selector.prefix + laid.words + selector.suffix
    window = text[max(0, start - len(selector.prefix)) : end + len(selector.suffix)]
    distance = 0 if selector.start is None else abs(start - selector.start)
    pieces = {
        needle[run.src_start : run.src_end]: weight(needle[run.src_start : run.src_end])
        for run in laid.runs
    }
    score = (
        5.5 * Indel.normalized_similarity(whole, window)
        + 3 * Indel.normalized_similarity(laid.words, text[start:end])
        - 0.38 * sqrt(weight(needle))
        - 0.67 * log2(1 + distance / 256)
    )
    if laid.words == selector.exact == text[start:end] and _stands_beside_much(laid, needle):
        score += 1.5
    # What follows takes the most time: only if it can still decide.
    most = 0.75 * sqrt(sum(pieces.values()))
    if score + most < at_least:
        return None
    score -= 0.42 * sqrt(_added(laid)) + 3 * _left_behind(selector, laid)
    if score + most < at_least:
        return None
    once = sum(said for piece, said in pieces.items() if _is_once(piece, text))
    score += 0.75 * sqrt(once)
    # A word or two that the text has everywhere are no evidence, however alike.
    is_telling = once > 0 or distance == 0 or len(whole) >= _TELLING
    return score if is_telling and score >= at_least else None


def _is_once(piece: str, text: str) -> bool:
    return text.find(piece, text.find(piece) + 1) < 0


def _stands_beside_much(laid: Laid, needle: str) -> bool:
    """Does much of the context on one side still join on to the words?"""
    first, last = len(laid.prefix), len(laid.prefix) + len(laid.words)
    return any(
        (run.src_start < first <= run.src_end and weight(needle[run.src_start : first]) >= _MUCH)
        or (run.src_start <= last < run.src_end and weight(needle[last : run.src_end]) >= _MUCH)
        for run in laid.runs
    )


def _added(laid: Laid) -> int:
    """How many letters there are in words around that the context does not have."""
    before = laid.text[max(laid.low, laid.start - len(laid.prefix)) : laid.start]
    after = laid.text[laid.end : min(laid.high, laid.end + len(laid.suffix))]
    added = Counter(_WORD.findall(f"{before} {after}"))
    added.subtract(_WORD.findall(f"{laid.prefix} {laid.suffix}"))
    return sum(len(word) * times for word, times in added.items() if times > 0)


def _left_behind(selector: Selector, laid: Laid) -> int:
    """How many of the paragraphs before and after are still in the text, but not near the place."""
    text = laid.text
    before = selector.prefix[: len(selector.prefix) - len(laid.prefix)].strip()
    after = selector.suffix[len(laid.suffix) :].strip()
    near_before = text[max(0, laid.start - _NEARBY) : laid.start]
    near_after = text[laid.end : laid.end + _NEARBY]
    return sum(
        weight(other) >= _NEIGHBOUR and other not in near and other in text
        for other, near in ((before, near_before), (after, near_after))
    )
