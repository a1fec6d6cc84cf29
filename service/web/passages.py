"""A passage as editors see it: what changes, in its context, with nothing hidden."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from markupsafe import Markup

from service import addresses
from service.text import Piece, word_diff
from service.text.diff import Kind
from service.text.words import words
from service.web import fragments

AROUND = 64
"""So many characters of context are shown."""

CUT = 48
"""A context as long as this was cut off, likely inside a word."""

_MARK = Markup('<bdi class="mark" dir="ltr" title="{name}">{label}</bdi>')
_CUT_START = re.compile(r"^(?:\S{0,24}\s+)?")
_CUT_END = re.compile(r"(?:\s+\S{0,24})?\Z")
_BREAK = Markup(' <span class="break" aria-hidden="true">¶</span> ')
_TAGS = {
    "same": Markup("{}"),
    "delete": Markup("<del>{}</del>"),
    "insert": Markup("<ins>{}</ins>"),
}
_LABELS = {
    "\n": "↵",
    "\t": "⇥",
    " ": "␣",
    "\u00a0": "NBSP",
    "\u00ad": "SHY",
    "\u034f": "CGJ",
    "\u061c": "ALM",
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u202f": "NNBSP",
    "\u2060": "WJ",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
    "\ufeff": "BOM",
}
# Letters by their category, but nothing to be seen.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage ready to be put into a page; `change` holds the excerpt or its word diff."""

    prefix: Markup
    change: Markup
    suffix: Markup
    direction: str
    has_hidden: bool
    """Whether the excerpt or the suggestion has characters that nobody sees."""


def passage(selector: list[dict[str, Any]], suggestion: str | None) -> Passage | None:
    """The passage of these selectors, changed by the suggestion; None for a whole page."""
    if not selector:
        return None
    found = selector[0]
    exact, prefix, suffix = found["exact"], found["prefix"], found["suffix"]
    told = exact if suggestion is None else exact + suggestion
    return Passage(
        context(_CUT_START.sub("…", prefix, count=1) if len(prefix) >= CUT else prefix),
        changed(exact, suggestion),
        context(_CUT_END.sub("…", suffix, count=1) if len(suffix) >= CUT else suffix),
        direction(prefix + exact + suffix),
        any(_is_hidden(told, place) for place in range(len(told))),
    )


def current(text: str, anchor: dict[str, Any]) -> Passage | None:
    """What the article's newest text has in the passage's place; None where it is not found."""
    start, end = anchor["start"], anchor["end"]
    if start is None or end is None:
        return None
    prefix, exact, suffix = text[max(0, start - AROUND) : start], text[start:end], text[end:]
    quoted = {"exact": exact, "prefix": prefix, "suffix": suffix[:AROUND]}
    return passage([quoted], None)


def changed(before: str, after: str | None) -> Markup:
    """The word diff from one text to the other; the text itself where there is no other."""
    if after is None:
        return Markup("<mark>{}</mark>").format(marked(before))
    return Markup("").join(_shown(group) for group in _by_word(before, after))


def _by_word(before: str, after: str) -> Iterator[list[Piece]]:
    """The pieces of the diff, those inside one word together."""
    ends = (
        frozenset(accumulate(map(len, words(before)))),
        frozenset(accumulate(map(len, words(after)))),
    )
    at = [0, 0]
    group: list[Piece] = []
    for kind, text in word_diff(before, after):
        begun = 0
        for place in range(1, len(text) + 1):
            at[0] += kind != "insert"
            at[1] += kind != "delete"
            if kind == "same" and at[0] in ends[0] and at[1] in ends[1]:
                yield [*group, Piece(kind, text[begun:place])]
                group, begun = [], place
        if begun < len(text):
            group.append(Piece(kind, text[begun:]))
        if group and at[0] in {0, *ends[0]} and at[1] in {0, *ends[1]}:
            yield group
            group = []
    if group:
        yield group


def _shown(group: list[Piece]) -> Markup:
    """A word that changed inside is told as the whole word before and the whole word after."""
    kinds = {piece.kind for piece in group}
    if "same" not in kinds or len(kinds) == 1 or all(piece.text.isspace() for piece in group):
        return Markup("").join(
            _TAGS[piece.kind].format(marked(piece.text, is_change=piece.kind != "same"))
            for piece in group
        )
    sides: dict[Kind, Markup] = {"delete": Markup(""), "insert": Markup("")}
    for piece in group:
        text = marked(piece.text, is_change=piece.kind != "same")
        for side in sides:
            if piece.kind == "same":
                sides[side] += text
            elif piece.kind == side:
                sides[side] += Markup("<b>{}</b>").format(text)
    return Markup("").join(_TAGS[side].format(text) for side, text in sides.items())


def context(text: str) -> Markup:
    """The words around, on one line: a paragraph's end is a pilcrow."""
    return _BREAK.join(marked(part) for part in re.split(r"\n+", text))


def marked(text: str, *, is_change: bool = False) -> Markup:
    """The text escaped, invisible characters as marks; in a change also spaces that are new."""
    if not is_change and text.isascii() and text.isprintable():
        return Markup("{}").format(text)
    shows_spaces = is_change and text.isspace()
    found = Markup("")
    plain_from = 0
    for place, character in enumerate(text):
        if shows_spaces or _is_hidden(text, place, is_change=is_change):
            found += Markup("{}").format(text[plain_from:place]) + _mark(character)
            # A line's end stays one, or a long insertion would be hard to read.
            plain_from = place if character == "\n" else place + 1
    return found + Markup("{}").format(text[plain_from:])


def _is_hidden(text: str, place: int, *, is_change: bool = False) -> bool:
    character = text[place]
    category = unicodedata.category(character)
    if character in _JOINERS:
        return _is_stray(text, place) or (is_change and len(text) == 1)
    if category == "Zs":
        return is_change and character not in " \u3000"
    if character == "\n":
        return is_change
    return category in {"Cf", "Cc", "Co", "Cs", "Zl", "Zp"} or character in _BLANKS


def _is_stray(text: str, place: int) -> bool:
    """Whether a joiner joins nothing: it stands at an edge, or beside a space or another one."""
    around = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    return any(not side or side.isspace() or side in _JOINERS for side in around) and len(text) > 1


@cache
def _mark(character: str) -> Markup:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "control character")
    return _MARK.format(name=f"{code} {name}", label=_LABELS.get(character, code))


def direction(text: str) -> str:
    """`rtl` where most letters run from right to left, else `ltr`."""
    right = left = 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        right += kind in {"R", "AL"}
        left += kind == "L"
    return "rtl" if right > left else "ltr"


def link(item: dict[str, Any], text: str | None = None) -> str | None:
    """The article's address, at the passage (a text fragment); None where it is no safe link.

    `text` is the article's newest one, where it is known: the passage is told by what it has.
    """
    url: str = item["article"]["url"]
    if not addresses.is_safe(url):
        return None
    if not item["selector"] or item["anchor"]["state"] == "orphaned":
        return url
    found = fragments.directive(*_now(item, text))
    return f"{url}#:~:{found}" if found else url


def _now(item: dict[str, Any], text: str | None) -> tuple[str, str, str]:
    """The passage's words, and what stands before and behind them, in the newest text known."""
    start, end = item["anchor"]["start"], item["anchor"]["end"]
    if text is None or start is None or end is None:
        quoted = item["selector"][0]
        return quoted["exact"], quoted["prefix"], quoted["suffix"]
    return text[start:end], text[max(0, start - AROUND) : start], text[end : end + AROUND]
