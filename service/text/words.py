"""Words and characters as people see them, in every script."""

import unicodedata
from functools import lru_cache
from itertools import accumulate

# Scripts written without spaces between words: first and last code point.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x2E80, 0x2FFF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3040, 0x312F),  # kana, bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)
_BETWEEN_LETTERS = frozenset("'’.·:‧")
_BETWEEN_DIGITS = frozenset("'’.,;٫٬")
_JOINER = "\u200d"
# No farther than this around a position does it matter what is there.
_REACH = 16


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """One of: extends, space, unspaced, letter, digit, other."""
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf" or "\U0001f3fb" <= character <= "\U0001f3ff":
        return "extends"
    if character.isspace():
        return "space"
    code = ord(character)
    if code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED):
        return "unspaced"
    if category == "Nd":
        return "digit"
    if category[0] in "LN" or category == "Pc":
        return "letter"
    return "other"


def graphemes(text: str) -> list[str]:
    """Characters with the marks, joiners and modifiers that belong to them.

    A simplification of Unicode's extended grapheme clusters (UAX #29): Hangul written in single
    letters is not put together, and two regional indicators always make a flag.
    """
    found: list[str] = []
    for character in text:
        previous = found[-1] if found else ""
        if previous and (
            _kind(character) == "extends"
            or (previous[-1] == _JOINER and _kind(character) == "other")
            or (_is_regional(character) and len(previous) == 1 and _is_regional(previous))
            or (previous == "\r" and character == "\n")
        ):
            found[-1] += character
        else:
            found.append(character)
    return found


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def words(text: str) -> list[str]:
    """The text cut into words, white space and single other characters; joined, it is the text.

    After UAX #29, without a dictionary: in scripts written without spaces each character is a word.
    """
    pieces = graphemes(text)
    kinds = [_kind(piece[0]) for piece in pieces]
    found: list[str] = []
    for index, (piece, kind) in enumerate(zip(pieces, kinds, strict=True)):
        if index and _belongs(pieces, kinds, index, kind):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def is_edge(text: str, position: int) -> bool:
    """Does a word, white space or another character begin or end at a position of the text?"""
    low = max(0, position - _REACH)
    pieces = words(text[low : position + _REACH])
    return position in accumulate(map(len, pieces), initial=low)


def _belongs(pieces: list[str], kinds: list[str], index: int, kind: str) -> bool:
    """Does the piece go on with the word before it?"""
    before = kinds[index - 1]
    if kind in ("letter", "digit"):
        return before in ("letter", "digit") or _is_link(pieces, kinds, index - 1)
    if kind == "space":
        return before == "space"
    return _is_link(pieces, kinds, index)


def _is_link(pieces: list[str], kinds: list[str], index: int) -> bool:
    """Is the piece an apostrophe or point inside of a word or number?"""
    if not 0 < index < len(pieces) - 1:
        return False
    around = {kinds[index - 1], kinds[index + 1]}
    if around == {"letter"}:
        return pieces[index] in _BETWEEN_LETTERS
    return around == {"digit"} and pieces[index] in _BETWEEN_DIGITS
