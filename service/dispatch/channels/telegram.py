"""Telegram, by a bot: HTML, of which only `&`, `<`, `>` and `"` mean anything.

Source: the Bot API's sendMessage and its HTML style.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from service.dispatch.channels.chats import fitting
from service.dispatch.notes import Line, Note, more

SERVER = "https://api.telegram.org"

MOST = 4096
"""Characters that a message takes."""


def address(target: Mapping[str, Any]) -> str:
    """The Bot API's method; a newsroom may run a Bot API server of its own."""
    return f"{target.get('server') or SERVER}/bot{target['token']}/sendMessage"


def payload(target: Mapping[str, Any], note: Note, language: str) -> dict[str, Any]:
    """One message without previews of what it links to."""
    return {
        "chat_id": target["chat"],
        "text": fitting(MOST, lambda shown: _text(note, language, shown)),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def _text(note: Note, language: str, shown: int) -> str:
    groups, left = note.shortened(shown)
    parts = [f"<b>{escape(note.headline)}</b>"]
    for group in groups:
        if len(note.groups) > 1:
            parts.append(escape(group.title))
        parts += [_line(line) for line in group.lines]
    if left:
        parts.append(escape(more(left, language)))
    parts.append(f'<a href="{escape(note.url)}">{escape(note.link_text)}</a>')
    return "\n".join(parts)


def _line(line: Line) -> str:
    return f'• <a href="{escape(line.url)}">{escape(line.lead)}</a> {escape(line.text)}'
