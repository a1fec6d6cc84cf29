"""The page of one correction: what it tells, and that nobody's work is lost on it."""

import re
from datetime import datetime
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.db import Database
from service.desk import changes, moves, notes
from service.desk.moves import By, Decision
from service.models import Category, Correction, Editor, Note, Report, Site, State
from tests.conftest import Clock
from tests.reporting import report
from tests.web.test_pages import form_token, send, sign_in
from tests.web.test_public import body, post

HIDDEN = re.compile(r'<input type="hidden" name="(version|seen_at|from|back)" value="([^"]*)">')


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    sign_in(client, editor)
    return client


def open_page(desk: FlaskClient, correction_id: UUID) -> tuple[str, dict[str, str]]:
    """The page's text, and what its forms carry."""
    text = desk.get(f"/review/{correction_id}").text
    return text, {name: unescape(value) for name, value in HIDDEN.findall(text)}


def kept(database: Database, correction_id: UUID) -> Correction:
    with database.read() as session:
        return session.get_one(Correction, correction_id)


def by_another(
    database: Database, site: Site, admin: Editor, correction_id: UUID, now: datetime, **wanted: Any
) -> None:
    with database.write() as session:
        by = By(admin.email, admin.id)
        changes.change(session, site.id, correction_id, wanted, by=by, now=now)


def test_wording_and_note_are_saved_without_deciding(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    _, hidden = open_page(desk, correction_id)
    answer = send(
        desk, f"/review/{correction_id}/changes", wording="World", public_note="Thanks", **hidden
    )
    found = kept(database, correction_id)
    assert answer.status_code == 303
    assert (found.wording, found.public_note, found.state) == ("World", "Thanks", State.NEW)


@pytest.mark.parametrize("digits", [20, 5000])
def test_version_that_is_too_long_was_never_seen(
    desk: FlaskClient, database: Database, site: Site, admin: Editor, clock: Clock, digits: int
) -> None:
    correction_id = report(database, site, clock())
    _, hidden = open_page(desk, correction_id)
    later = clock.advance(minutes=1)
    by_another(database, site, admin, correction_id, later, public_note="Theirs")
    hidden["version"] = "9" * digits
    path = f"/review/{correction_id}"
    assert send(desk, f"{path}/moves", to="accepted", **hidden).status_code == 412
    entry = {"kind": "correction", "said": "wrold", "says": "world"}
    assert send(desk, f"{path}/publication", **hidden, **entry).status_code == 412
    assert send(desk, f"{path}/blocks", days="9" * digits, version="1").status_code == 422


def test_stale_form_says_who_did_what_and_keeps_what_was_typed(
    desk: FlaskClient, database: Database, site: Site, admin: Editor, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    _, hidden = open_page(desk, correction_id)
    by_another(database, site, admin, correction_id, clock.advance(minutes=1), public_note="Theirs")
    answer = send(
        desk, f"/review/{correction_id}/changes", wording="World!", public_note="Mine", **hidden
    )
    told = answer.text.partition('role="alert"')[2].partition("<article")[0]
    assert answer.status_code == 412
    assert f"{admin.email} changed the public note" in told
    assert 'dir="auto">Mine</textarea>' in answer.text
    assert ">World!</textarea>" in answer.text
    assert kept(database, correction_id).public_note == "Theirs"
    # The page that came back is up to date: sent again, it is taken.
    hidden = {name: unescape(value) for name, value in HIDDEN.findall(answer.text)}
    assert (
        send(desk, f"/review/{correction_id}/changes", public_note="Both", **hidden).status_code
        == 303
    )
    assert kept(database, correction_id).public_note == "Both"


def test_decision_on_what_another_decided_keeps_what_was_typed(
    desk: FlaskClient, database: Database, site: Site, admin: Editor, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    _, hidden = open_page(desk, correction_id)
    with database.write() as session:
        by = By(admin.email, admin.id)
        decision = Decision(State.REJECTED, "House style")
        now = clock.advance(minutes=1)
        moves.decide(session, site.id, correction_id, decision, by=by, now=now)
    answer = send(
        desk, f"/review/{correction_id}/moves", to="accepted", public_note="Mine", **hidden
    )
    told = answer.text.partition('role="alert"')[2].partition("<article")[0]
    assert answer.status_code in {409, 412}
    assert admin.email in told
    assert "House style" in told
    assert 'dir="auto">Mine</textarea>' in answer.text
    assert kept(database, correction_id).state is State.REJECTED


def test_new_report_alone_makes_no_form_stale(
    desk: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    _, hidden = open_page(desk, correction_id)
    assert report(database, site, clock.advance(minutes=1)) == correction_id
    answer = send(desk, f"/review/{correction_id}/moves", to="accepted", wording="W", **hidden)
    assert answer.status_code == 303
    assert (kept(database, correction_id).state, kept(database, correction_id).wording) == (
        State.ACCEPTED,
        "W",
    )


def test_note_that_the_page_shows_makes_its_forms_not_stale(
    desk: FlaskClient, database: Database, site: Site, admin: Editor, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    with database.write() as session:
        by, now = By(admin.email, admin.id), clock.advance(minutes=1)
        notes.add(session, site.id, correction_id, "Sure?", by=by, now=now)
    _, hidden = open_page(desk, correction_id)
    assert hidden["seen_at"] == now.isoformat()
    assert report(database, site, clock.advance(minutes=1)) == correction_id
    answer = send(desk, f"/review/{correction_id}/moves", to="accepted", **hidden)
    assert answer.status_code == 303
    assert kept(database, correction_id).state is State.ACCEPTED


def test_note_calls_for_an_editor_who_ticks_it_off(
    desk: FlaskClient, database: Database, site: Site, editor: Editor, admin: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now)
    with database.write() as session:
        by = By(admin.email, admin.id)
        note = notes.add(session, site.id, correction_id, "@editor, sure?", by=by, now=now)
    assert "1 note for you" in desk.get("/review").text
    listed = desk.get("/review/mentions").text
    assert "@editor, sure?" in listed
    assert f"/review/{correction_id}" in listed
    assert send(desk, f"/review/mentions/{note.id}").status_code == 303
    assert "for you" not in desk.get("/review").text
    assert "Tick off" not in desk.get("/review/mentions").text


def test_note_that_names_nobody_comes_back_as_it_was_typed(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    _, hidden = open_page(desk, correction_id)
    answer = send(desk, f"/review/{correction_id}/notes", note="@nobody look", **hidden)
    assert answer.status_code == 422
    assert "No editor of this site is called @nobody." in answer.text
    assert ">@nobody look</textarea>" in answer.text
    send(desk, f"/review/{correction_id}/notes", note="Look\r\nhere", **hidden)
    with database.read() as session:
        assert [note.text for note in session.scalars(select(Note))] == ["Look\nhere"]


def test_reports_are_split_off_and_put_back(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    report(database, site, now, suggestion="word")
    text, hidden = open_page(desk, correction_id)
    with database.read() as session:
        first, second = session.scalars(select(Report.id).order_by(Report.id))
    assert f'value="{second}"' in text
    nothing = send(desk, f"/review/{correction_id}/split", **hidden)
    assert nothing.status_code == 422
    assert "Choose reports of this correction." in nothing.text
    assert send(desk, f"/review/{correction_id}/split", report=str(second), **hidden).status_code
    with database.read() as session:
        made = session.scalars(select(Report.correction_id).where(Report.id == second)).one()
    assert made != correction_id
    assert "took reports out into" in desk.get(f"/review/{correction_id}").text
    text, hidden = open_page(desk, made)
    assert "Put these reports back" in text
    send(desk, f"/review/{made}/put-back", **hidden)
    assert kept(database, correction_id).report_count == 2
    assert first


def test_network_of_a_report_is_blocked_and_let_in_again(
    desk: FlaskClient, database: Database, site: Site, admin: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now, address="203.0.113.7")
    page, hidden = open_page(desk, correction_id)
    chosen = re.findall(r'name="report" value="([^"]+)"', page)
    path = f"/review/{correction_id}/blocks"
    refused = send(desk, path, **hidden, report=chosen[0], days="365")
    assert (refused.status_code, "1, 7 or 30 days." in refused.text) == (422, True)
    blocked = send(desk, path, **hidden, report=chosen[0], days="1")
    assert blocked.status_code == 303
    sender = {"REMOTE_ADDR": "203.0.113.200"}
    answer = post(desk, site, body(), environ_base=sender)
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/blocked")
    assert "it will again from 2026-03-02 12:00 UTC" in answer.json["detail"]
    page, _ = open_page(desk, correction_id)
    assert "network blocked until 2 Mar 2026, 12:00 UTC" in page
    [lift] = re.findall(r'formaction="(/review/blocks/[^"]+/lift)"', page)
    sign_in(desk, admin)
    settings = "/review/settings/readers"
    assert lift in desk.get(settings).text
    assert "Network blocked" in desk.get("/review/settings/audit").text
    assert send(desk, lift, next=settings).location == settings
    assert "No network is blocked." in desk.get(settings).text
    assert post(desk, site, body(), environ_base=sender).status_code == 201


def test_report_whose_network_is_not_known_offers_no_block(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    page, _ = open_page(desk, report(database, site, now))
    assert "Block where they came from" not in page


def test_neighbours_are_told_the_nearest_first_and_can_be_joined(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    here, far, near = (
        report(database, site, now, exact=word, start=start)
        for word, start in (("here", 100), ("far", 900), ("near", 130))
    )
    report(database, site, now, exact="elsewhere", source="https://news.example/b")
    text, hidden = open_page(desk, here)
    nearby = text.partition('id="around"')[2]
    assert re.findall(r'href="/review/([0-9a-f-]{36})"', nearby) == [str(near), str(far)]
    send(desk, f"/review/{here}/changes", duplicate_of=str(near), **hidden)
    assert kept(database, here).duplicate_of == near
    assert str(here) in desk.get(f"/review/{near}").text.partition('id="repeats"')[2]
    _, hidden = open_page(desk, here)
    send(desk, f"/review/{here}/changes", duplicate_of="", **hidden)
    assert kept(database, here).duplicate_of is None


def test_taking_and_giving_shows_in_the_timeline(
    desk: FlaskClient, database: Database, site: Site, editor: Editor, admin: Editor, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    _, hidden = open_page(desk, correction_id)
    clock.advance(minutes=1)
    send(desk, f"/review/{correction_id}/changes", assignee=editor.email, **hidden)
    _, hidden = open_page(desk, correction_id)
    clock.advance(minutes=1)
    send(desk, f"/review/{correction_id}/changes", assignee=admin.email, category="fact", **hidden)
    text, _ = open_page(desk, correction_id)
    assert f"{editor.email} took it" in text
    assert f"{editor.email} gave it to {admin.email}" in text
    assert kept(database, correction_id).category is Category.FACT
    assert form_token(desk)
