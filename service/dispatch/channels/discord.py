"""Discord, by a webhook: Markdown, and a list of who may be mentioned, which is empty.

Source: Discord's reference on executing webhooks and on allowed mentions.
"""

from collections.abc import Mapping
from typing import Any

from service.dispatch.channels.chats import backslashed, fitting
from service.dispatch.notes import Line, Note, more

MOST = 4096
"""Characters that a description takes."""


def address(target: Mapping[str, Any]) -> str:
    """Where messages are posted."""
    return str(target["url"])


def escaped(text: str) -> str:
    """Text that formats nothing; `<` would begin a mention, an emoji or a time."""
    return backslashed(text).replace("<", "\\<").replace("@", "@\u200b")


def payload(_target: Mapping[str, Any], note: Note, language: str) -> dict[str, Any]:
    """A headline with an embed below it."""
    text = fitting(MOST, lambda shown: _text(note, language, shown))
    return {
        "content": escaped(note.headline),
        "embeds": [{"description": text}],
        "allowed_mentions": {"parse": []},
    }


def _text(note: Note, language: str, shown: int) -> str:
    groups, left = note.shortened(shown)
    parts = []
    for group in groups:
        if len(note.groups) > 1:
            parts.append(escaped(group.title))
        parts += [_line(line) for line in group.lines]
    if left:
        parts.append(escaped(more(left, language)))
    parts.append(f"[{escaped(note.link_text)}](<{note.url}>)")
    return "\n".join(parts)


def _line(line: Line) -> str:
    return f"[{escaped(line.lead)}](<{line.url}>) {escaped(line.text)}"
