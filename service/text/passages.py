"""Do two readers mean the same words?"""

from dataclasses import dataclass, replace

from rapidfuzz.distance import Indel

from service.text.normalise import normalise
from service.text.words import words

# Readers who select more words than this alike may still mean different ones of them.
_FEW_WORDS = 3
# How far around the words contexts are compared, and how much of them has to be there.
_NEAR = 24
_TELLING = 4
# How alike the better side and both sides together have to be.
_ALIKE = 0.9
_ALIKE_TOGETHER = 0.65


@dataclass(frozen=True, slots=True)
class Selector:
    """A passage of an article: W3C TextQuoteSelector and TextPositionSelector in one.

    Positions are code points in the article's text by the text rule; None where not known.
    """

    exact: str
    prefix: str = ""
    suffix: str = ""
    start: int | None = None
    end: int | None = None


def narrowed(selector: Selector, suggestion: str) -> Selector:
    """The selector of only those words that the suggestion changes.

    Its `exact` is empty where the suggestion only adds words.
    """
    old, new = words(selector.exact), words(suggestion)
    shorter = min(len(old), len(new))
    first = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    last = next((i for i in range(shorter - first) if old[-1 - i] != new[-1 - i]), shorter - first)
    before = "".join(old[:first])
    after = "".join(old[len(old) - last :])
    exact = selector.exact[len(before) : len(selector.exact) - len(after)]
    start = None if selector.start is None else selector.start + len(before)
    return Selector(
        exact=exact,
        prefix=selector.prefix + before,
        suffix=after + selector.suffix,
        start=start,
        end=None if start is None else start + len(exact),
    )


def same_passage(
    one: Selector,
    other: Selector,
    suggestion: str | None = None,
    other_suggestion: str | None = None,
    *,
    same_text: bool = True,
) -> bool:
    """Do two reports of one article mean the same error?

    They do if they selected the same words in one place, or if their suggestions change words in
    one place, however much was selected around these. Selectors of different revisions
    (`same_text` false) and those without positions are compared by the words around.
    """
    if not same_text:
        one, other = replace(one, start=None, end=None), replace(other, start=None, end=None)
    are_equal = normalise(one.exact) == normalise(other.exact)
    if suggestion is None or other_suggestion is None:
        # Without a suggestion the whole selection is meant.
        narrow = one if suggestion is None else narrowed(one, suggestion)
        other_narrow = other if other_suggestion is None else narrowed(other, other_suggestion)
        if not are_equal and normalise(narrow.exact) != normalise(other_narrow.exact):
            return False
        return _overlap(one, other) if are_equal else _overlap(narrow, other_narrow)
    if are_equal and sum(not word.isspace() for word in words(one.exact)) <= _FEW_WORDS:
        return _overlap(one, other)
    one, other = narrowed(one, suggestion), narrowed(other, other_suggestion)
    return _overlap(one, other) or _is_doubled(one, other)


def _overlap(one: Selector, other: Selector) -> bool:
    if one.start is None or other.start is None:
        return _is_same_quote(one, other)
    one_end, other_end = one.start + len(one.exact), other.start + len(other.exact)
    if one.exact and other.exact:
        return one.start < other_end and other.start < one_end
    if one.exact or other.exact:
        return one.start <= other_end and other.start <= one_end
    # Something is missing here: before or after the space is the same place.
    return abs(one.start - other.start) <= 1


def _is_doubled(one: Selector, other: Selector) -> bool:
    """Is it one word twice in a row, of which either may be the one too many?"""
    if one.start is None or other.start is None or not one.exact:
        return False
    gap = max(one.start, other.start) - min(
        one.start + len(one.exact), other.start + len(other.exact)
    )
    return 0 <= gap <= 1 and normalise(one.exact) == normalise(other.exact)


def _is_same_quote(one: Selector, other: Selector) -> bool:
    """Are these the same words between words that are much alike?"""
    if normalise(one.exact) != normalise(other.exact):
        return False
    if (one.prefix, one.suffix) == (other.prefix, other.suffix):
        return True
    before = _alike(normalise(one.prefix)[::-1], normalise(other.prefix)[::-1])
    after = _alike(normalise(one.suffix), normalise(other.suffix))
    shared = before[1] + after[1]
    if shared < _TELLING:
        return False
    together = (before[0] * before[1] + after[0] * after[1]) / shared
    if shared < _NEAR:
        return min(before[0], after[0]) >= _ALIKE
    return max(before[0], after[0]) >= _ALIKE and together >= _ALIKE_TOGETHER


def _alike(one: str, other: str) -> tuple[float, int]:
    """How alike two contexts are, read outwards as far as both go, and how far that is."""
    shared = min(len(one), len(other), _NEAR)
    return Indel.normalized_similarity(one[:shared], other[:shared]), shared
