from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service.accounts import editors
from service.db import Database
from service.desk import changes
from service.desk.moves import By
from service.errors import InvalidFields, NotFound, StaleVersion
from service.models import Category, Correction, Editor, Event, Site
from tests.reporting import report

BY = By("token:tests")


def change(
    database: Database,
    site: Site,
    correction_id: UUID,
    now: datetime,
    versions: frozenset[int] | None = None,
    **values: Any,
) -> Correction:
    with database.write() as session:
        return changes.change(
            session, site.id, correction_id, values, by=BY, now=now, versions=versions
        )


def refused_pointer(*arguments: Any, **values: Any) -> str:
    with pytest.raises(InvalidFields) as refused:
        change(*arguments, **values)
    return refused.value.errors[0]["pointer"]


def test_change_sets_fields_and_counts_the_version_up(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now)
    changed = change(
        database,
        site,
        correction_id,
        now,
        assignee="EDITOR@news.example",
        category=Category.FACT,
        public_note="We look into it.",
    )
    assert (changed.assignee_id, changed.category, changed.public_note, changed.version) == (
        editor.id,
        Category.FACT,
        "We look into it.",
        2,
    )
    cleared = change(database, site, correction_id, now, assignee=None, category=None)
    assert (cleared.assignee_id, cleared.category, cleared.version) == (None, None, 3)


def test_change_to_what_is_there_already_changes_nothing(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    assert change(database, site, correction_id, now, suspected=False, category=None).version == 1


def test_assignee_must_be_an_editor_of_the_site(
    database: Database, site: Site, editor: Editor, other_site_editor: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now)
    for email in (other_site_editor.email, "nobody@news.example", ""):
        pointer = refused_pointer(database, site, correction_id, now, assignee=email)
        assert pointer == "/assignee"
    with database.write() as session:
        editors.disable(session, editor.email, now=now)
    assert refused_pointer(database, site, correction_id, now, assignee=editor.email)


def test_duplicates_form_no_circle(database: Database, site: Site, now: datetime) -> None:
    one, two, three = (report(database, site, now, exact=word, start=None) for word in "abc")
    change(database, site, one, now, duplicate_of=two)
    change(database, site, two, now, duplicate_of=three)
    for original in (three, two, one):
        assert refused_pointer(database, site, three, now, duplicate_of=original)
    assert change(database, site, one, now, duplicate_of=None).duplicate_of is None
    assert change(database, site, three, now, duplicate_of=one).duplicate_of == one


def test_duplicate_of_another_site_or_of_nothing_is_refused(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    mine, foreign = report(database, site, now), report(database, other_site, now)
    for original in (foreign, uuid4()):
        assert refused_pointer(database, site, mine, now, duplicate_of=original) == "/duplicate_of"


def test_correction_of_another_site_is_not_found(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    foreign = report(database, other_site, now)
    with pytest.raises(NotFound):
        change(database, site, foreign, now, suspected=True)


def test_freeing_tells_that_the_correction_was_created(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now, website="spam")
    change(database, site, correction_id, now, suspected=False)
    with database.read() as session:
        told = session.scalars(select(Event.type).order_by(Event.id)).all()
    assert told == ["report.created", "correction.created"]


def test_change_of_an_old_version_is_stale(database: Database, site: Site, now: datetime) -> None:
    correction_id = report(database, site, now)
    change(database, site, correction_id, now, versions=frozenset({1}), category=Category.TYPO)
    with pytest.raises(StaleVersion):
        change(database, site, correction_id, now, versions=frozenset({1}), category=None)
