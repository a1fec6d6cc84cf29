from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select

from service.accounts import editors, sessions
from service.accounts.principals import ROLE_SCOPES
from service.db import Database
from service.errors import MissingScope, NotSignedIn
from service.models import Editor, EditorSession, Membership, Role, Site
from tests.conftest import PASSWORD


def begin(database: Database, editor: Editor, now: datetime) -> str:
    with database.write() as session:
        return sessions.begin(session, editor, now=now)


def authenticate(database: Database, token: str, now: datetime) -> sessions.SignedIn:
    with database.read() as session:
        return sessions.authenticate(session, token, now=now)


def is_over(database: Database, token: str, now: datetime) -> bool:
    with pytest.raises(NotSignedIn):
        authenticate(database, token, now)
    return True


def test_token_tells_who_is_signed_in(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    found = authenticate(database, begin(database, editor, now), now).principal
    assert (found.site_id, found.label, found.editor_id, found.scopes) == (
        site.id,
        editor.email,
        editor.id,
        ROLE_SCOPES[Role.EDITOR],
    )


def test_each_sign_in_has_its_own_token_and_only_a_fingerprint_is_kept(
    database: Database, editor: Editor, now: datetime
) -> None:
    tokens = {begin(database, editor, now) for _ in range(3)}
    assert len(tokens) == 3
    with database.read() as session:
        kept = session.scalars(select(EditorSession.token_hash)).all()
    assert len(kept) == 3
    assert tokens.isdisjoint(kept)


def test_sign_out_ends_this_session_only(database: Database, editor: Editor, now: datetime) -> None:
    first, second = begin(database, editor, now), begin(database, editor, now)
    with database.write() as session:
        sessions.end(session, first, now=now)
    assert is_over(database, first, now)
    assert authenticate(database, second, now)


def test_password_change_ends_all_sessions(
    database: Database, editor: Editor, now: datetime
) -> None:
    tokens = [begin(database, editor, now) for _ in range(2)]
    with database.write() as session:
        editors.set_password(session, editor.email, PASSWORD + "!", now=now)
    assert all(is_over(database, token, now) for token in tokens)


def test_disabled_editor_is_out_at_once(database: Database, editor: Editor, now: datetime) -> None:
    token = begin(database, editor, now)
    with database.write() as session:
        editors.disable(session, editor.email, now=now)
    assert is_over(database, token, now)


def test_lost_membership_ends_the_session(
    database: Database, editor: Editor, now: datetime
) -> None:
    token = begin(database, editor, now)
    with database.write() as session:
        session.execute(delete(Membership))
    assert is_over(database, token, now)
    with database.write() as session, pytest.raises(MissingScope):
        sessions.begin(session, editor, now=now)


def test_session_ends_when_idle(database: Database, editor: Editor, now: datetime) -> None:
    token = begin(database, editor, now)
    almost = now + sessions.IDLE - timedelta(seconds=1)
    assert authenticate(database, token, almost).is_use_due
    assert is_over(database, token, now + sessions.IDLE)


def test_session_in_use_lasts_until_its_absolute_limit(
    database: Database, editor: Editor, now: datetime
) -> None:
    token = begin(database, editor, now)
    at = now
    while at + sessions.IDLE / 2 < now + sessions.LIFETIME:
        at += sessions.IDLE / 2
        found = authenticate(database, token, at)
        with database.write() as session:
            sessions.note_use(session, found.session_id, now=at)
    assert is_over(database, token, now + sessions.LIFETIME)


def test_use_is_written_down_no_oftener_than_the_step(
    database: Database, editor: Editor, now: datetime
) -> None:
    token = begin(database, editor, now)
    assert not authenticate(database, token, now + timedelta(minutes=4)).is_use_due
    assert authenticate(database, token, now + sessions.SEEN_STEP).is_use_due


@pytest.mark.parametrize("token", ["", "x", "\x00", "é" * 100])
def test_unknown_token_is_nobody(database: Database, now: datetime, token: str) -> None:
    assert is_over(database, token, now)
