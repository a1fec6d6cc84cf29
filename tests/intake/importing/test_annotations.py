import io
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from service.db import Database
from service.desk import changes, moves, queue, splits
from service.desk.exports import FORMATS
from service.desk.filters import Filters
from service.desk.moves import By, Decision
from service.desk.undo import undo
from service.errors import NotAllowedMove
from service.intake.importing import BadRow, Found, Keeper, annotations
from service.models import Category, Correction, Editor, Event, Kind, Move, Report, Site, State
from service.record import publications
from service.record.publications import Entry
from tests.conftest import ORIGIN
from tests.reporting import report

BY = By("editor@news.example")


def exported(database: Database, site: Site) -> str:
    return "".join(FORMATS["jsonl"].parts(database, site.id, Filters(suspected=None)))


def keep(database: Database, site: Site, now: datetime, text: str, batch: int = 500) -> Keeper:
    read = list(annotations.read(site, io.BytesIO(text.encode())))
    found = [row for row in read if isinstance(row, Found)]
    assert len(found) == len(read)
    keeper = Keeper(site, now=now)
    for first in range(0, len(found), batch):
        with database.write() as session:
            keeper.keep(session, found[first : first + batch])
    return keeper


def without_ids(text: str) -> list[Any]:
    """The lines, each id as the number at which it was first seen."""
    seen: dict[str, int] = {}

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: told(each) for name, each in value.items() if name != "version"}
        if isinstance(value, list):
            return [told(each) for each in value]
        try:
            return seen.setdefault(str(UUID(value)), len(seen))
        except (ValueError, AttributeError, TypeError):
            return value

    return [told(json.loads(line)) for line in text.splitlines()]


@pytest.fixture
def lived(database: Database, site: Site, editor: Editor, now: datetime, other_site: Site) -> str:
    """An export of a site where much has happened."""
    ids = [
        report(
            database, site, now.replace(minute=number), exact=f"word {number}\u2028=1", start=20 * number,
            source=f"{ORIGIN}/{number % 2}", category=Category.TYPO, suggestion=f"better {number}",
            website="x" * (number == 4), title="A title",
        )
        for number in range(5)
    ]  # fmt: skip
    report(database, site, now, exact="word 0\u2028=1", start=0, source=f"{ORIGIN}/0", comment="so")
    report(database, site, now, exact=None, start=None, suggestion=None, comment="The map is old")
    with database.write() as session:
        for number, to in enumerate((State.FIXED, State.ACCEPTED, State.REJECTED)):
            decision = Decision(to, "because", "wording", "a note")
            moves.decide(session, site.id, ids[number], decision, by=BY, now=now)
        undo(session, site.id, ids[1], by=BY, now=now)
        moves.decide(session, site.id, ids[1], Decision(State.ACCEPTED), by=BY, now=now)
        changed = {"assignee": editor.email, "duplicate_of": ids[3]}
        changes.change(session, site.id, ids[1], changed, by=BY, now=now)
        entry = Entry(Kind.CORRECTION, "a", "b", None, "Thanks to a reader")
        publications.publish(session, site.id, ids[0], entry, by=BY.label, now=now)
    return exported(database, site)


def test_export_read_back_is_the_same_export(
    database: Database, lived: str, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    with database.read() as session:
        events = session.scalar(select(func.count()).select_from(Event))
    keeper = keep(database, other_site, now, lived, batch=2)
    assert (keeper.kept.reports, keeper.kept.corrections, keeper.kept.known) == (7, 6, 0)
    again = without_ids(exported(database, other_site))
    expected = without_ids(lived)
    # Who works on another site is nobody here.
    assert expected[1]["corrigenda"].pop("assignee") == "editor@news.example"
    assert again[1]["corrigenda"].pop("assignee") is None
    assert again == expected
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == events


def test_undone_moves_come_back_undone(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    steps = (
        Decision(State.ACCEPTED, wording="World"),
        None,
        Decision(State.FIXED, wording="globe"),
    )
    made = report(database, site, now)
    with database.write() as session:
        for decision in steps:
            if decision:
                moves.decide(session, site.id, made, decision, by=BY, now=now)
            else:
                undo(session, site.id, made, by=BY, now=now)
    keep(database, other_site, now, exported(database, site))
    with database.write() as session:
        here = session.scalars(select(Correction).where(Correction.site_id == other_site.id)).one()
        first, second, third = moves.history(session, here.id)
        assert (first.undoes, second.undoes, third.undoes) == (None, first.id, None)
        back = undo(session, other_site.id, here.id, by=BY, now=now)
        assert (back.state, back.wording) == (State.NEW, None)
        with pytest.raises(NotAllowedMove):
            undo(session, other_site.id, here.id, by=BY, now=now)


def test_export_of_an_older_release_is_read(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    made = report(database, site, now)
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(State.FIXED, "so"), by=BY, now=now)
    line = json.loads(exported(database, site))
    for name in ("id", "before", "undoes"):
        del line["corrigenda"]["moves"][0][name]
    keep(database, other_site, now, json.dumps(line))
    with database.read() as session:
        move = session.scalars(select(Move).where(Move.correction_id != made)).one()
    assert (move.to_state, move.reason, move.before, move.undoes) == (
        State.FIXED,
        "so",
        None,
        None,
    )


@pytest.mark.parametrize("is_own", [True, False])
def test_export_read_twice_makes_no_doubles(
    database: Database, site: Site, lived: str, other_site: Site, now: datetime, is_own: bool
) -> None:
    target = site if is_own else other_site
    target.origins = [ORIGIN]
    if not is_own:
        keep(database, target, now, lived)
    before = exported(database, target)
    kept = keep(database, target, now, lived).kept
    assert (kept.reports, kept.corrections, kept.known) == (0, 0, 7)
    assert exported(database, target) == before


def test_split_put_back_is_in_no_export(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    source = report(database, site, now)
    report(database, site, now)
    with database.write() as session:
        chosen = session.scalars(select(Report.id).order_by(Report.id.desc()).limit(1)).all()
        made = splits.split(session, site.id, source, chosen, by=BY, now=now)
        splits.put_back(session, site.id, made.id, by=BY, now=now)
    text = exported(database, site)
    assert [json.loads(line)["id"] for line in text.splitlines()] == [f"urn:uuid:{source}"]
    kept = keep(database, other_site, now, text).kept
    assert (kept.reports, kept.corrections) == (2, 1)


def test_what_is_imported_is_found_by_the_title_that_the_article_has(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    report(database, site, now, title="As it was then")
    report(database, other_site, now, exact="thier", start=40, title="As it is now")
    keep(database, other_site, now, exported(database, site))

    def found(q: str) -> list[str]:
        with database.read() as session:
            ids = queue.page(session, other_site.id, Filters(q=q), limit=9).ids
            return [session.get_one(Correction, each).exact or "" for each in ids]

    assert found("as it was then") == []
    assert sorted(found("as it is now")) == ["thier", "wrold"]


@pytest.mark.parametrize("is_changed", [False, True])
def test_import_that_was_broken_off_joins_duplicates_when_it_is_read_again(
    database: Database, site: Site, lived: str, other_site: Site, now: datetime, is_changed: bool
) -> None:
    other_site.origins = [ORIGIN]
    keep(database, other_site, now, "\n".join(lived.splitlines()[:2]))
    joined = select(Correction).where(
        Correction.site_id == other_site.id, Correction.duplicate_of.is_not(None)
    )
    with database.write() as session:
        assert session.scalar(joined) is None
        one, other = session.scalars(
            select(Correction.id)
            .where(Correction.site_id == other_site.id)
            .order_by(Correction.state)
        )
        for of in (other, None) if is_changed else ():
            changes.change(session, other_site.id, one, {"duplicate_of": of}, by=BY, now=now)
    keep(database, other_site, now, lived)
    with database.read() as session:
        found = session.scalars(joined).all()
    # What an editor here has parted stays parted.
    assert [each.id for each in found] == ([] if is_changed else [one])


def test_later_export_brings_the_reports_that_are_new(
    database: Database, site: Site, lived: str, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    keep(database, other_site, now, lived)
    report(database, site, now, exact="word 3\u2028=1", start=60, source=f"{ORIGIN}/1")
    kept = keep(database, other_site, now, exported(database, site)).kept
    assert (kept.reports, kept.corrections, kept.known) == (1, 0, 7)
    with database.read() as session:
        counts = session.scalars(
            select(Correction.report_count)
            .where(Correction.site_id == other_site.id)
            .order_by(Correction.id)
        ).all()
    assert sorted(counts) == [1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("corrigenda", "moves", 0, "id"), 3, "a move's id is not an id"),
        (
            ("corrigenda", "moves", 0, "undoes"),
            str(UUID(int=3)),
            "a move undoes none of the others",
        ),
        (("corrigenda", "moves", 0, "before"), [], "before is not an object"),
        (("corrigenda", "moves", 0, "before"), {"wording": 3}, "wording is not an object"),
        (("corrigenda", "moves", 0, "before"), {"wording": {"was": 3}}, "wording is not a text"),
        (("corrigenda", "moves", 0, "before"), {"state": {}}, "before names a field that no move"),
        ((), [], "the line is not an object"),
        (("target", "source"), "https://elsewhere.example/", "the address is not on one of this"),
        (("target", "selector"), [3], "one of selector is not an object"),
        (("id",), "none", "id is not an id"),
        (("created",), "2026-03-01T12:00:00", "created is not an instant with its zone"),
        (("corrigenda",), None, "corrigenda is not an object"),
        (("corrigenda", "state"), "closed", "state is not one of new, accepted, fixed, rejected,"),
        (("corrigenda", "wording"), "x" * 1001, "wording is longer than 1,000 characters"),
        (("corrigenda", "wording"), "x\0", "wording has characters that are not valid UTF-8"),
        (("corrigenda", "public_note"), 3, "public_note is not a text"),
        (("corrigenda", "version"), True, "version is not a number from 0 to 2,147,483,647"),
        (("corrigenda", "reports"), [], "there is no report"),
        (("corrigenda", "reports", 0, "id"), None, "a report has no id"),
        (("corrigenda", "reports", 0, "source"), "javascript:1", "a report's source is no address"),
        (("corrigenda", "moves"), {}, "moves is not a list"),
    ],
)
def test_bad_line_is_told_and_the_others_are_kept(
    database: Database, site: Site, now: datetime, place: tuple[Any, ...], value: Any, reason: str
) -> None:
    made = report(database, site, now)
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(State.ACCEPTED), by=BY, now=now)
    good = exported(database, site)
    bad: Any = {"whole": json.loads(good)}
    holder, name = bad, "whole"
    for each in place:
        holder, name = holder[name], each
    holder[name] = value
    text = f"{good}\n{json.dumps(bad['whole'])}\nno JSON\n{good}"
    read = list(annotations.read(site, io.BytesIO(text.encode())))
    assert [row.line for row in read] == [1, 3, 4, 5]
    assert [isinstance(row, BadRow) for row in read] == [False, True, True, False]
    assert str(read[1]).startswith(reason)
    assert str(read[2]) == "is not JSON"


def test_duplicates_in_a_circle_are_kept_apart(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    other_site.origins = [ORIGIN]
    for word in ("one", "two", "three", "four"):
        report(database, site, now, exact=word, start=None)
    lines = [json.loads(line) for line in exported(database, site).splitlines()]
    for number, other in enumerate((1, 2, 0, 3)):
        lines[number]["corrigenda"]["duplicate_of"] = lines[other]["id"]
    text = "\n".join(map(json.dumps, lines))
    keeper = Keeper(other_site, now=now)
    told: list[BadRow] = []
    for row in annotations.read(other_site, io.BytesIO(text.encode())):
        assert isinstance(row, Found)
        with database.write() as session:
            told += keeper.keep(session, [row])
    assert [(bad.line, str(bad)) for bad in told] == [
        (3, "duplicate_of leads back to the correction itself"),
        (4, "duplicate_of leads back to the correction itself"),
    ]
    again = [json.loads(line) for line in exported(database, other_site).splitlines()]
    assert [line["corrigenda"]["duplicate_of"] for line in again] == [
        again[1]["id"].removeprefix("urn:uuid:"),
        again[2]["id"].removeprefix("urn:uuid:"),
        None,
        None,
    ]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "target", "source", "selector", "corrigenda", "reports", "moves",
                         "anchor", "article", "state", "created", "type", "exact", "spam"]),
        inner, max_size=5,
    )
)))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_json_it_is_a_bad_row_at_most(said: Any) -> None:
    site = Site(origins=[ORIGIN], time_zone="UTC")
    [row] = annotations.read(site, io.BytesIO(json.dumps(said).encode()))
    assert isinstance(row, BadRow)
