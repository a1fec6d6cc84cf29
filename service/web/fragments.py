"""Text fragments: an address that opens a page at a passage.

https://wicg.github.io/scroll-to-text-fragment/ says how a browser looks for one: what stands first
begins at a word's beginning, what stands last ends at a word's end, and no term spans paragraphs.
"""

import re
from urllib.parse import quote

LONG = 120
"""A passage longer than this, where words have spaces between them, is told by its two ends."""

ENDS = 5
"""So many words are told of each end of a long passage."""

CUT = 48
"""A context as long as this was cut off, likely inside a word."""

_PARAGRAPH = re.compile(r"\n+")
_STOPS = re.compile(r"[。！？、，；：.!?,;:…)»”\s]")


def directive(exact: str, prefix: str, suffix: str) -> str | None:
    """The directive for these words: `text=prefix-,start,end,-suffix`; None of none."""
    if not exact.strip():
        return None
    before = _before(prefix + exact[: len(exact) - len(exact.lstrip())], is_cut=len(prefix) >= CUT)
    after = _after(exact[len(exact.rstrip()) :] + suffix, is_cut=len(suffix) >= CUT)
    first, last = _ends(exact.strip())
    parts = [
        f"{_encoded(before)}-" if before else "",
        _encoded(first),
        _encoded(last),
        f"-{_encoded(after)}" if after else "",
    ]
    return "text=" + ",".join(part for part in parts if part)


def _before(prefix: str, *, is_cut: bool) -> str:
    """What stands before the passage in its paragraph, from the beginning of a word on."""
    own = _PARAGRAPH.split(prefix)[-1]
    if is_cut and own == prefix:
        stop = _STOPS.search(own)
        own = own[stop.end() :] if stop else ""
    return _flat(own)


def _after(suffix: str, *, is_cut: bool) -> str:
    """What stands behind the passage in its paragraph, up to the end of a word."""
    own = _PARAGRAPH.split(suffix)[0]
    if is_cut and own == suffix:
        stops = list(_STOPS.finditer(own))
        own = own[: stops[-1].start()] if stops else ""
    return _flat(own)


def _ends(exact: str) -> tuple[str, str]:
    """The passage itself, or its first and last words where it is long or has paragraphs."""
    paragraphs = [_flat(part) for part in _PARAGRAPH.split(exact)]
    if len(paragraphs) > 1:
        return _some(paragraphs[0], first=True), _some(paragraphs[-1], first=False)
    text = paragraphs[0]
    if len(text) <= LONG or " " not in text:
        return text, ""
    return _some(text, first=True), _some(text, first=False)


def _some(text: str, *, first: bool) -> str:
    """The first or last words of a text; all of it where it has no spaces."""
    if len(text) <= LONG // 2:
        return text
    parts = text.split(" ")
    return " ".join(parts[:ENDS] if first else parts[-ENDS:])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _encoded(text: str) -> str:
    # The dash is syntax in a text directive, and quote() leaves it.
    return quote(text, safe="").replace("-", "%2D")
