"""The text rule for HTML source: docs/text-rule.md. widget/src/text.ts is its other half."""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

_SKIPPED_NAMES = """
    audio button canvas datalist dialog iframe math meter noembed noframes noscript object progress
    rp rt script select style svg template textarea title video
"""
_BLOCK_NAMES = """
    address article aside blockquote caption center dd details dir div dl dt fieldset figcaption
    figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li listing main menu nav ol p
    plaintext pre search section summary table td th ul xmp
"""
SKIPPED = frozenset(_SKIPPED_NAMES.split())
BLOCKS = frozenset(_BLOCK_NAMES.split())
PRESERVED = frozenset(("listing", "plaintext", "pre", "xmp"))

_PIECES = re.compile(r"[^ \t\n\f\r]+(?: [^ \t\n\f\r]+)*|\n|[ \t\f\r]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


class _Mode(IntEnum):
    COLLAPSE = 0
    LINES = 1
    KEEP = 2


class _Gap(IntEnum):
    NONE = 0
    SPACE = 1
    BREAK = 2
    BLOCK = 3


_SEPARATORS = ("", " ", "\n", "\n\n")
_WHITE_SPACE = {
    "pre": _Mode.KEEP,
    "pre-wrap": _Mode.KEEP,
    "break-spaces": _Mode.KEEP,
    "pre-line": _Mode.LINES,
    "normal": _Mode.COLLAPSE,
    "nowrap": _Mode.COLLAPSE,
    "initial": _Mode.COLLAPSE,
}


def article_text(html: str, selector: str | None = None) -> str:
    """The text of the article in an HTML document or fragment, by the text rule.

    The article is the first match of the CSS selector, or else found by the rule's fixed order.
    A selector that is wrong or matches nothing counts as none.
    """
    source = html.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    document = LexborHTMLParser(_SURROGATES.sub("\ufffd", source))
    article = _article_of(document, selector)
    return _text_of(article) if article is not None else ""


def _article_of(document: LexborHTMLParser, selector: str | None) -> LexborNode | None:
    return (
        (_first(document, selector) if selector else None)
        or _first(document, "article")
        or _first(document, "main, [role=main]")
        or _most_paragraphs(document)
        or document.body
    )


def _first(document: LexborHTMLParser, selector: str) -> LexborNode | None:
    try:
        return document.css_first(selector)
    except SelectolaxError:
        return None


def _most_paragraphs(document: LexborHTMLParser) -> LexborNode | None:
    """The element whose own paragraphs hold more than half of the document's paragraph text."""
    # A browser that runs scripts parses what is in `noscript` as text: no elements there.
    unseen = {p.mem_id for noscript in document.css("noscript") for p in noscript.css("p")}
    sizes: Counter[LexborNode] = Counter()
    for paragraph in document.css("p"):
        if paragraph.parent is not None and paragraph.mem_id not in unseen:
            sizes[paragraph.parent] += len(_text_of(paragraph))
    for element, size in sizes.items():
        if size * 2 > sizes.total():
            return element
    return None


def _text_of(root: LexborNode) -> str:
    """Walk with a stack of our own: HTML may be nested deeper than Python's."""
    writer = _Writer()
    # An element on its way down, or only the end of a block (None).
    waiting: list[tuple[LexborNode | None, _Mode]] = []

    def enter(element: LexborNode, inherited: _Mode) -> None:
        mode = _mode_of(element, inherited)
        child = element.last_child
        while child is not None:
            waiting.append((child, mode))
            child = child.prev

    enter(root, _Mode.COLLAPSE)
    while waiting:
        node, mode = waiting.pop()
        if node is None:
            writer.widen(_Gap.BLOCK)
        elif node.is_text_node:
            writer.read(node.text_content or "", mode)
        elif node.is_element_node and not _is_skipped(node):
            if node.tag == "br":
                writer.break_line()
                continue
            if node.tag in BLOCKS:
                writer.widen(_Gap.BLOCK)
                waiting.append((None, mode))
            enter(node, mode)
    return "".join(writer.parts)


@dataclass
class _Writer:
    """Puts pieces of text together with the widest separator met between them."""

    parts: list[str] = field(default_factory=list)
    gap: _Gap = _Gap.NONE

    def widen(self, gap: _Gap) -> None:
        self.gap = max(self.gap, gap)

    def break_line(self) -> None:
        self.gap = _Gap.BREAK if self.gap < _Gap.BREAK else _Gap.BLOCK

    def add(self, piece: str) -> None:
        if self.parts:
            self.parts.append(_SEPARATORS[self.gap])
        self.gap = _Gap.NONE
        self.parts.append(piece)

    def read(self, data: str, mode: _Mode) -> None:
        if mode is _Mode.KEEP:
            if data:
                self.add(data)
            return
        for piece in _PIECES.findall(data):
            if piece == "\n" and mode is _Mode.LINES:
                self.break_line()
            elif piece[0] in " \t\n\f\r":
                self.widen(_Gap.SPACE)
            else:
                self.add(piece)


def _is_skipped(element: LexborNode) -> bool:
    name = element.tag or ""
    if name in SKIPPED or name.startswith("corrigenda-"):
        return True
    attributes = element.attributes
    return (
        attributes.get("data-corrigenda") in ("support", "corrections")
        or ("hidden" in attributes and (attributes["hidden"] or "").lower() != "until-found")
        or _declared(attributes, "display") == "none"
    )


def _mode_of(element: LexborNode, inherited: _Mode) -> _Mode:
    declared = _WHITE_SPACE.get(_declared(element.attributes, "white-space"))
    if declared is not None:
        return declared
    return _Mode.KEEP if element.tag in PRESERVED else inherited


def _declared(attributes: dict[str, str | None], name: str) -> str:
    """The value that the last declaration of a property in the style attribute gives it."""
    value = ""
    for declaration in (attributes.get("style") or "").lower().split(";"):
        declared, _, given = declaration.partition(":")
        if declared.strip() == name:
            value = given.replace("!important", "").strip()
    return value
