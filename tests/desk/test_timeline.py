from datetime import datetime
from typing import Any
from uuid import UUID

from service.db import Database
from service.desk import changes, moves, notes, timeline, undo
from service.desk.moves import By, Decision
from service.models import Category, Editor, Site, State
from tests.conftest import Clock
from tests.reporting import report


def told(database: Database, correction_id: UUID, since: datetime | None = None) -> list[Any]:
    with database.read() as session:
        found = timeline.entries(session, correction_id, since)
    return [(entry.by, entry.kind, *vars_of(entry.what)) for entry in found]


def vars_of(what: Any) -> tuple[Any, ...]:
    if hasattr(what, "field"):
        return (what.field, what.was, what.now)
    return (what.text,) if hasattr(what, "text") else (what.from_state, what.to_state)


def test_everything_that_was_done_is_told_in_order(
    database: Database, site: Site, editor: Editor, admin: Editor, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    other = report(database, site, clock(), exact="colour", start=90)
    mine, theirs = By(editor.email, editor.id), By(admin.email, admin.id)

    def change(by: By, **values: Any) -> None:
        with database.write() as session:
            now = clock.advance(minutes=1)
            changes.change(session, site.id, correction_id, values, by=by, now=now)

    change(mine, assignee=editor.email)
    change(theirs, assignee=admin.email, category=Category.FACT)
    change(theirs, wording="world!", public_note="Thanks")
    halfway = clock()
    change(mine, duplicate_of=other)
    change(mine, duplicate_of=other)
    with database.write() as session:
        notes.add(session, site.id, correction_id, "Sure?", by=mine, now=clock.advance(minutes=1))
    decision = Decision(State.ACCEPTED, wording="World")
    with database.write() as session:
        now = clock.advance(minutes=1)
        moves.decide(session, site.id, correction_id, decision, by=theirs, now=now)
    with database.write() as session:
        now = clock.advance(minutes=1)
        undo.undo(session, site.id, correction_id, by=mine, now=now)
    e, a = editor.email, admin.email
    assert told(database, correction_id) == [
        (e, "change", "assignee", None, e),
        (a, "change", "assignee", e, a),
        (a, "change", "category", None, "fact"),
        (a, "change", "wording", None, "world!"),
        (a, "change", "public_note", None, "Thanks"),
        (e, "change", "duplicate_of", None, str(other)),
        (e, "note", "Sure?"),
        (a, "move", State.NEW, State.ACCEPTED),
        (a, "change", "wording", "world!", "World"),
        (e, "move", State.ACCEPTED, State.NEW),
        (e, "change", "wording", "World", "world!"),
    ]
    assert told(database, correction_id, halfway) == told(database, correction_id)[5:]
