"""What the chats share: how much a message shows, and escaping by backslash."""

import re

SHOWN = 5
"""Corrections that a message shows; the rest is counted."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>:])")


def backslashed(text: str) -> str:
    """Text in which no character means anything to Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)
