"""One spelling for texts that mean the same, so that they can be compared."""

import re
import unicodedata

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


def normalise(excerpt: str) -> str:
    """The excerpt for comparing: NFC, case folded, one kind of space, quote and dash.

    Soft hyphens, zero-width characters and bidi marks are dropped. Not for showing to people.
    Follows canonical caseless matching (Unicode 3.13, D145).
    """
    folded = unicodedata.normalize("NFD", excerpt.translate(_UNIFIED)).casefold()
    return _SPACES.sub(" ", unicodedata.normalize("NFC", folded).translate(_UNIFIED)).strip()
