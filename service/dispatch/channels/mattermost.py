"""Mattermost, by an incoming webhook: Markdown; there `@channel` in a message calls everybody.

Source: Mattermost's reference on incoming webhooks and on formatting text.
"""

from collections.abc import Mapping
from typing import Any

from service.dispatch.channels.chats import backslashed, fitting
from service.dispatch.notes import Line, Note, more

MOST = 4000
"""Characters that servers of all versions take."""


def address(target: Mapping[str, Any]) -> str:
    """Where messages are posted."""
    return str(target["url"])


def escaped(text: str) -> str:
    """Text that formats and mentions nothing: an invisible space comes after each `@`."""
    plain = backslashed(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return plain.replace("@", "@\u200b")


def payload(_target: Mapping[str, Any], note: Note, language: str) -> dict[str, Any]:
    """One message."""
    return {"text": fitting(MOST, lambda shown: _text(note, language, shown))}


def _text(note: Note, language: str, shown: int) -> str:
    groups, left = note.shortened(shown)
    parts = [f"**{escaped(note.headline)}**"]
    for group in groups:
        if len(note.groups) > 1:
            parts.append(escaped(group.title))
        parts += [_line(line) for line in group.lines]
    if left:
        parts.append(escaped(more(left, language)))
    parts.append(f"[{escaped(note.link_text)}](<{note.url}>)")
    return "\n\n".join(parts)


def _line(line: Line) -> str:
    return f"[{escaped(line.lead)}](<{line.url}>) {escaped(line.text)}"
