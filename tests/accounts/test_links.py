from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from service.accounts import editors, invitations, links, members, passwords, sessions
from service.db import Database
from service.errors import AlreadyExists, LastAdmin, NotFound, NotSignedIn
from service.models import Editor, Link, LinkKind, Role, Site
from tests.conftest import PASSWORD
from tests.racing import at_once

NEW = "new@news.example"


def invite(database: Database, site: Site, now: datetime, email: str = NEW) -> str:
    with database.write() as session:
        _, token = invitations.invite(
            session, site, email, Role.EDITOR, by="admin@news.example", now=now
        )
    return token


def accept(database: Database, token: str, now: datetime) -> Editor:
    with database.write() as session:
        return invitations.accept(
            session, token, name="New", password_hash=editors.hashed(PASSWORD), now=now
        )


def members_of(database: Database, site: Site) -> list[tuple[str, Role]]:
    with database.read() as session:
        return [(each.editor.email, each.role) for each in members.of_site(session, site.id)]


def test_invitation_makes_an_account_on_its_site(
    database: Database, site: Site, now: datetime
) -> None:
    token = invite(database, site, now)
    with database.read() as session:
        read = invitations.read(session, token, now=now)
    assert read == invitations.Invitation(NEW, "The Daily", Role.EDITOR, None)
    editor = accept(database, token, now)
    assert (editor.email, editor.name) == (NEW, "New")
    assert members_of(database, site) == [(NEW, Role.EDITOR)]
    with database.read() as session:
        assert editors.check_password(session, NEW, PASSWORD).id == editor.id


def test_invitation_of_who_has_an_account_changes_neither_name_nor_password(
    database: Database, site: Site, other_site_editor: Editor, now: datetime
) -> None:
    token = invite(database, site, now, other_site_editor.email)
    taken = {"name": "Taken", "password_hash": "none", "now": now}
    for who in (None, UUID(int=1)):
        with pytest.raises(NotSignedIn), database.write() as session:
            invitations.accept(session, token, **taken, signed_in=who)
    assert members_of(database, site) == []
    with database.write() as session:
        invitations.accept(session, token, **taken, signed_in=other_site_editor.id)
    assert members_of(database, site) == [(other_site_editor.email, Role.EDITOR)]
    with database.read() as session:
        assert editors.check_password(session, other_site_editor.email, PASSWORD).name == ""


def test_invitation_of_two_at_once_is_accepted_once(
    database: Database, site: Site, now: datetime
) -> None:
    token = invite(database, site, now)
    results = at_once(lambda: accept(database, token, now))
    assert sorted(type(each).__name__ for each in results) == ["Editor", "NotFound"]
    assert members_of(database, site) == [(NEW, Role.EDITOR)]


def test_ended_links_are_erased(database: Database, site: Site, now: datetime) -> None:
    invite(database, site, now)
    for days, left in ((6, 1), (7, 0)):
        assert links.prune(database, now=now + timedelta(days=days)) == 1 - left
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Link)) == left


@pytest.mark.parametrize("days", [7, 400])
def test_invitation_ends_after_seven_days(
    database: Database, site: Site, now: datetime, days: int
) -> None:
    token = invite(database, site, now)
    with pytest.raises(NotFound):
        accept(database, token, now + timedelta(days=days))
    accept(database, token, now + timedelta(days=7, seconds=-1))


def test_invitation_that_was_withdrawn_or_repeated_works_no_more(
    database: Database, site: Site, now: datetime
) -> None:
    first = invite(database, site, now)
    second = invite(database, site, now)
    with pytest.raises(NotFound):
        accept(database, first, now)
    with database.write() as session:
        [link] = invitations.of_site(session, site.id, now=now)
        invitations.withdraw(session, site.id, link.id, by="admin@news.example", now=now)
    with pytest.raises(NotFound):
        accept(database, second, now)


def test_invitation_of_an_editor_of_the_site_is_refused(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    with pytest.raises(AlreadyExists):
        invite(database, site, now, editor.email.upper())


def test_link_of_one_kind_does_not_open_the_other(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    token = invite(database, site, now)
    with pytest.raises(NotFound), database.write() as session:
        passwords.reset(session, token, "none", now=now)
    with database.write() as session:
        reset, _ = passwords.forget(session, editor.email, now=now)
    with pytest.raises(NotFound):
        accept(database, reset, now)


def test_forgotten_password_is_set_once_and_ends_every_session(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    with database.write() as session:
        sessions.begin(session, editor, now=now)
        token, to = passwords.forget(session, f" {editor.email.upper()} ", now=now)
    assert to is not None
    assert to.id == editor.id

    def reset() -> None:
        with database.write() as session:
            passwords.reset(session, token, editors.hashed(PASSWORD + "!"), now=now)

    results = at_once(reset)
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "NotFound"]
    with database.read() as session:
        assert editors.check_password(session, editor.email, PASSWORD + "!").id == editor.id
        assert list(sessions.of_editor(session, editor.id, now=now)) == []


def test_forgotten_password_of_nobody_makes_a_link_that_opens_nothing(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        token, to = passwords.forget(session, "nobody@news.example", now=now)
    assert to is None
    with database.read() as session:
        assert links.find(session, LinkKind.PASSWORD, token, now=now).email == "nobody@news.example"
    with pytest.raises(NotFound), database.write() as session:
        passwords.reset(session, token, "none", now=now)


def test_reset_link_ends_after_an_hour(database: Database, editor: Editor, now: datetime) -> None:
    with database.write() as session:
        token, _ = passwords.forget(session, editor.email, now=now)
    with database.read() as session:
        late = now + timedelta(hours=1)
        assert passwords.address_of(session, token, now=late - timedelta(seconds=1)) == editor.email
        with pytest.raises(NotFound):
            passwords.address_of(session, token, now=late)


def test_admin_makes_no_reset_link_for_who_opens_other_sites(
    database: Database, site: Site, other_site: Site, editor: Editor, now: datetime
) -> None:
    by = "admin@news.example"
    with database.write() as session:
        email, _ = passwords.link_for(session, site.id, editor.id, by=by, now=now)
        assert email == editor.email
        with pytest.raises(NotFound):
            passwords.link_for(session, other_site.id, editor.id, by=by, now=now)
        editors.create(session, editor.email, "", other_site, Role.EDITOR, now=now)
    with pytest.raises(NotFound), database.write() as session:
        passwords.link_for(session, site.id, editor.id, by=by, now=now)


def test_admins_reset_link_ends_when_the_editor_joins_another_site(
    database: Database, site: Site, other_site: Site, editor: Editor, now: datetime
) -> None:
    with database.write() as session:
        _, token = passwords.link_for(session, site.id, editor.id, by="admin@news.example", now=now)
    with database.write() as session:
        found = session.get_one(Editor, editor.id)
        editors.join(session, found, other_site, Role.EDITOR, by="admin@other.example", now=now)
    with pytest.raises(NotFound), database.write() as session:
        passwords.reset(session, token, editors.hashed(PASSWORD + "!"), now=now)
    with database.read() as session:
        assert editors.check_password(session, editor.email, PASSWORD).id == editor.id


def test_last_admin_stays_also_when_two_step_down_at_once(
    database: Database, site: Site, admin: Editor, editor: Editor, now: datetime
) -> None:
    by = admin.email
    with pytest.raises(LastAdmin), database.write() as session:
        members.set_role(session, site.id, admin.id, Role.EDITOR, by=by, now=now)
    with pytest.raises(LastAdmin), database.write() as session:
        members.remove(session, site.id, admin.id, by=by, now=now)
    with database.write() as session:
        members.set_role(session, site.id, editor.id, Role.ADMIN, by=by, now=now)
    both = iter([admin.id, editor.id])

    def step_down() -> None:
        with database.write() as session:
            members.set_role(session, site.id, next(both), Role.EDITOR, by=by, now=now)

    results = at_once(step_down)
    assert sorted(type(each).__name__ for each in results) == ["LastAdmin", "NoneType"]
    roles = [role for _, role in members_of(database, site)]
    assert sorted(roles) == [Role.ADMIN, Role.EDITOR]


def test_editor_who_is_removed_is_signed_out_or_turned_to_another_site(
    database: Database,
    site: Site,
    other_site: Site,
    admin: Editor,
    editor: Editor,
    now: datetime,
) -> None:
    with database.write() as session:
        token = sessions.begin(session, editor, now=now)
        members.remove(session, site.id, editor.id, by=admin.email, now=now)
    with database.read() as session, pytest.raises(sessions.NotSignedIn):
        sessions.authenticate(session, token, now=now)
    with database.write() as session:
        editors.create(session, editor.email, "", site, Role.EDITOR, now=now)
        editors.create(session, editor.email, "", other_site, Role.EDITOR, now=now)
        token = sessions.begin(session, editor, now=now)
        sessions.switch(session, token, site.key)
        members.remove(session, site.id, editor.id, by=admin.email, now=now)
    with database.read() as session:
        assert sessions.authenticate(session, token, now=now).principal.site_id == other_site.id
