"""What the chats share: how much a message shows, and escaping by backslash."""

import re
from collections.abc import Callable

SHOWN = 5
"""Corrections that a message shows; the rest is counted."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>:])")


def backslashed(text: str) -> str:
    """Text in which no character means anything to Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)


def fitting(limit: int, text: Callable[[int], str]) -> str:
    """The text with as many corrections as there is room for, at most SHOWN.

    `text` makes it with so many; `limit` is in UTF-16 units, as no medium counts more strictly.
    """
    made = text(SHOWN)
    for shown in reversed(range(SHOWN)):
        if len(made.encode("utf-16-le")) // 2 <= limit:
            break
        made = text(shown)
    return made
