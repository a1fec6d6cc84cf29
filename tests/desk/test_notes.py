from datetime import datetime
from uuid import UUID

import pytest

from service.accounts import editors
from service.db import Database
from service.desk import notes
from service.desk.moves import By
from service.errors import InvalidFields, NotFound
from service.models import Editor, Mention, Role, Site
from tests.conftest import Clock
from tests.reporting import report


def add(
    database: Database, site: Site, correction_id: UUID, text: str, by: Editor, now: datetime
) -> UUID:
    with database.write() as session:
        made = notes.add(session, site.id, correction_id, text, by=By(by.email, by.id), now=now)
        return made.id


def waiting(database: Database, site: Site, who: Editor) -> int:
    with database.read() as session:
        return notes.unseen(session, site.id, who.id)


def listed(database: Database, site: Site, who: Editor) -> list[tuple[str, bool]]:
    with database.read() as session:
        found = notes.mentions(session, site.id, who.id)
        return [(mention.note.text, mention.seen_at is not None) for mention in found]


def test_named_editor_finds_the_note_waiting_until_it_is_ticked_off(
    database: Database, site: Site, editor: Editor, admin: Editor, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    first = add(database, site, correction_id, " @admin, is this so? ", editor, clock())
    add(database, site, correction_id, "(@ADMIN@news.example.) and @admin", editor, clock())
    assert (waiting(database, site, admin), waiting(database, site, editor)) == (2, 0)
    for _ in range(2):
        with database.write() as session:
            notes.tick_off(session, site.id, admin.id, first, now=clock.advance(minutes=1))
    assert waiting(database, site, admin) == 1
    assert listed(database, site, admin) == [
        ("(@ADMIN@news.example.) and @admin", False),
        ("@admin, is this so?", True),
    ]
    with database.read() as session:
        seen = session.get_one(Mention, (first, admin.id)).seen_at
    assert seen == datetime(2026, 3, 1, 12, 1, tzinfo=clock().tzinfo)


@pytest.mark.parametrize(
    "text", ["", " \n ", "a" * 2001, "ask @nobody", "ask @editor@other.example"]
)
def test_empty_long_or_misaddressed_note_is_refused_and_not_kept(
    database: Database,
    site: Site,
    editor: Editor,
    other_site_editor: Editor,
    now: datetime,
    text: str,
) -> None:
    correction_id = report(database, site, now)
    with pytest.raises(InvalidFields) as refused:
        add(database, site, correction_id, text, editor, now)
    assert [error["pointer"] for error in refused.value.errors] == ["/note"]


def test_name_that_two_editors_share_must_be_written_out(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    with database.write() as session:
        other = editors.create(
            session, "editor@desk.example", "a password for tests", site, Role.EDITOR, now=now
        )
    correction_id = report(database, site, now)
    with pytest.raises(InvalidFields, match="Several editors are called @editor"):
        add(database, site, correction_id, "@editor", editor, now)
    add(database, site, correction_id, "@editor@desk.example", editor, now)
    assert (waiting(database, site, other), waiting(database, site, editor)) == (1, 0)


def test_address_in_a_sentence_names_nobody(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now)
    add(database, site, correction_id, "write to desk@ministry.example", editor, now)
    assert waiting(database, site, editor) == 0


def test_notes_of_another_site_are_not_found(
    database: Database, site: Site, other_site: Site, editor: Editor, admin: Editor, now: datetime
) -> None:
    foreign = report(database, other_site, now)
    with pytest.raises(NotFound):
        add(database, site, foreign, "a", editor, now)
    note_id = add(database, site, report(database, site, now), "@admin", editor, now)
    with database.write() as session, pytest.raises(NotFound):
        notes.tick_off(session, other_site.id, admin.id, note_id, now=now)
    with database.write() as session, pytest.raises(NotFound):
        notes.tick_off(session, site.id, editor.id, note_id, now=now)
    assert listed(database, other_site, admin) == []
