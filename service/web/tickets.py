"""The ticket between the two steps of signing in: whose password was right, and until when."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service.errors import NotSignedIn
from service.hashing import keyed
from service.models import Editor
from service.web import current

LIFETIME = timedelta(minutes=5)


def give(editor: Editor, now: datetime) -> str:
    """A ticket for an editor whose password was right."""
    until = int((now + LIFETIME).timestamp())
    return f"{editor.id}.{until}.{_seal(editor, until)}"


def read(session: Session, ticket: str, now: datetime) -> Editor:
    """Whose ticket this is; raises NotSignedIn where it is forged, over or no longer true."""
    try:
        editor_id, until, seal = ticket.split(".")
        editor = session.get(Editor, UUID(editor_id))
        is_over = int(until) < now.timestamp()
    except ValueError:
        raise NotSignedIn("Please sign in again.") from None
    if editor is None or is_over or editor.disabled_at is not None:
        raise NotSignedIn("Please sign in again.")
    if not hmac.compare_digest(seal.encode(), _seal(editor, int(until)).encode()):
        raise NotSignedIn("Please sign in again.")
    return editor


def _seal(editor: Editor, until: int) -> str:
    sealed = f"{editor.id}.{until}.{editor.password_hash}.{editor.two_step_seed}"
    return keyed(current.settings().secret_key, "second step", sealed)
