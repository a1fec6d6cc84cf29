"""Slack, by an incoming webhook: mrkdwn, in which `&`, `<` and `>` are all that commands anything.

Source: Slack's reference on formatting text and on section blocks.
"""

from collections.abc import Mapping
from typing import Any

from service.dispatch.channels.chats import fitting
from service.dispatch.notes import Line, Note, more

MOST = 3000
"""Characters that a section takes."""


def address(target: Mapping[str, Any]) -> str:
    """Where messages are posted."""
    return str(target["url"])


def escaped(text: str) -> str:
    """Text that mentions nobody and links to nothing."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(_target: Mapping[str, Any], note: Note, language: str) -> dict[str, Any]:
    """A headline for the notification, and blocks in which nothing links by itself."""
    text = fitting(MOST, lambda shown: _text(note, language, shown))
    said = {"type": "mrkdwn", "text": text, "verbatim": True}
    return {
        "text": escaped(note.headline),
        "blocks": [{"type": "section", "text": said}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _text(note: Note, language: str, shown: int) -> str:
    groups, left = note.shortened(shown)
    parts = [f"*{escaped(note.headline)}*"]
    for group in groups:
        if len(note.groups) > 1:
            parts.append(escaped(group.title))
        parts += [_line(line) for line in group.lines]
    if left:
        parts.append(escaped(more(left, language)))
    parts.append(f"<{escaped(note.url)}|{escaped(note.link_text)}>")
    return "\n".join(parts)


def _line(line: Line) -> str:
    return f"• <{escaped(line.url)}|{escaped(line.lead)}> {escaped(line.text)}"
