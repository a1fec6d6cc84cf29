"""Microsoft Teams, by a workflow's webhook: an Adaptive Card of text runs, which know no Markdown.

Source: Microsoft's reference on Workflows webhooks, and the Adaptive Cards schema, version 1.4.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service.dispatch.channels.chats import SHOWN
from service.dispatch.notes import Line, Note, more


def address(target: Mapping[str, Any]) -> str:
    """Where messages are posted."""
    return str(target["url"])


def payload(_target: Mapping[str, Any], note: Note, language: str) -> dict[str, Any]:
    """A message with one card."""
    groups, left = note.shortened(SHOWN)
    body = [_paragraph([_run(note.headline, weight="Bolder")])]
    for group in groups:
        if len(note.groups) > 1:
            body.append(_paragraph([_run(group.title, isSubtle=True)]))
        body += [_paragraph(_line(line)) for line in group.lines]
    if left:
        body.append(_paragraph([_run(more(left, language))]))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [_open(note.url) | {"title": note.link_text}],
    }
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": card,
            }
        ],
    }


def _paragraph(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


def _open(url: str) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "url": url}


def _line(line: Line) -> list[dict[str, Any]]:
    return [_run(line.lead, selectAction=_open(line.url)), _run(f" {line.text}")]
