"""Mail to the newsroom: plain text."""

from uuid import UUID

from service.dispatch.mail import Mail
from service.dispatch.notes import Note, more

SHOWN = 50
"""Corrections that a mail shows; the rest is counted."""


def compose(to: str, note: Note, language: str, message_id: UUID) -> Mail:
    """The mail that says a note; one click stops more of them."""
    groups, left = note.shortened(SHOWN)
    parts = [note.headline]
    for group in groups:
        if len(note.groups) > 1:
            parts.append(f"{group.title}\n{'-' * min(len(group.title), 60)}")
        parts += [f"{line.lead}: {line.text}\n{line.url}" for line in group.lines]
    if left:
        parts.append(more(left, language))
    parts.append(f"{note.link_text}: {note.url}")
    parts.append(f"-- \n{note.stop_text}: {note.stop_url}")
    return Mail(message_id, to, note.headline, "\n\n".join(parts) + "\n", note.stop_url)
