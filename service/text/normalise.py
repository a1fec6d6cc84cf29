"""One spelling for texts that mean the same, so that they can be compared."""

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
_DOUBLE_QUOTES = "“”„‟«»〝〞〟＂″「」『』"
_SINGLE_QUOTES = "‘’‚‛‹›ʼ`´′＇"
_DASHES = "‐‑‒–—―−﹘﹣－⸺⸻"

_UNIFIED = str.maketrans(
    dict.fromkeys(_INVISIBLE, "")
    | dict.fromkeys(_DOUBLE_QUOTES, '"')
    | dict.fromkeys(_SINGLE_QUOTES, "'")
    | dict.fromkeys(_DASHES, "-")
)
_SPACES = re.compile(r"\s+")
# Runs that may be combining marks: ordering thousands of those takes the square of the time.
_LONG_RUN = re.compile(r"[^\w\s]{32,}")
_MOST_MARKS = 30


_SHORT = 2_000
"""Texts of so many characters at most are remembered: one report asks for each several times."""


def normalise(excerpt: str) -> str:
    """The excerpt for comparing: NFC, case folded, one kind of space, quote and dash.

    Soft hyphens, zero-width characters and bidi marks are dropped. Not for showing to people.
    Follows canonical caseless matching (Unicode 3.13, D145).
    """
    return _remembered(excerpt) if len(excerpt) <= _SHORT else _normalised(excerpt)


def _normalised(excerpt: str) -> str:
    if excerpt.isascii():
        # What follows would do the same to it, and take eight times as long.
        return " ".join(excerpt.lower().translate(_UNIFIED).split())
    plain = _LONG_RUN.sub(_stream_safe, excerpt.translate(_UNIFIED))
    folded = unicodedata.normalize("NFD", plain).casefold()
    return _SPACES.sub(" ", unicodedata.normalize("NFC", folded).translate(_UNIFIED)).strip()


_remembered = lru_cache(maxsize=256)(_normalised)


def _stream_safe(run: re.Match[str]) -> str:
    """The run without the combining marks that are more than any language stacks (UAX 15, 13)."""
    kept, marks = [], 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
