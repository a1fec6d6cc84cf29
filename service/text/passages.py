"""Do two readers mean the same words?"""

from dataclasses import dataclass

from service.text.normalise import normalise


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


def same_passage(one: Selector, other: Selector) -> bool:
    """Are these the same words in the same place of the same article?

    By positions if both have them, otherwise by the words around.
    """
    if normalise(one.exact) != normalise(other.exact):
        return False
    if one.start is not None and other.start is not None:
        one_end = one.start + len(one.exact) if one.end is None else one.end
        other_end = other.start + len(other.exact) if other.end is None else other.end
        return one.start < other_end and other.start < one_end
    return _agree(one.prefix[::-1], other.prefix[::-1]) and _agree(one.suffix, other.suffix)


def _agree(one: str, other: str) -> bool:
    """Do two contexts, read outwards, agree as far as both go?"""
    shared = min(len(one), len(other))
    return normalise(one[:shared]) == normalise(other[:shared])
