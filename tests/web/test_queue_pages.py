"""The queue over HTTP: what an open page asks for, and what its buttons send."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.desk import acts, moves
from service.desk.moves import By, Decision
from service.models import Editor, Site, State
from tests.conftest import Clock
from tests.reporting import report
from tests.web.test_pages import desk, form_token, rows, send, state_of

__all__ = ["desk"]
OTHER = By("other@news.example")
JSON = {"Accept": "application/json"}


def act(client: FlaskClient, headers: dict[str, str] = JSON, view: str = "", **sent: Any) -> Any:
    data = {"form_token": form_token(client), **sent}
    return client.post(f"/review/moves{view}", data=data, headers=headers)


def key(database: Database, correction_id: UUID) -> str:
    with database.read() as session:
        return acts.keys(session, [correction_id])[str(correction_id)]


def move(database: Database, site: Site, correction_id: UUID, to: State, now: datetime) -> None:
    with database.write() as session:
        moves.decide(session, site.id, correction_id, Decision(to), by=OTHER, now=now)


def test_live_is_304_until_something_changes(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    first = report(database, site, now)
    answer = desk.get("/review/live")
    assert answer.json["order"] == [key(database, first)]
    assert answer.json["counts"]["new"] == "1"
    same = desk.get("/review/live", headers={"If-None-Match": answer.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    second = report(database, site, now, exact="thier", start=40)
    changed = desk.get("/review/live", headers={"If-None-Match": answer.headers["ETag"]})
    assert changed.json["order"] == [key(database, second), key(database, first)]


def test_rows_are_shown_as_they_are_now(
    desk: FlaskClient, database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    here, gone = (report(database, site, now, exact=word, start=None) for word in "ab")
    foreign = report(database, other_site, now)
    move(database, site, gone, State.FIXED, now)
    page = desk.get(f"/review/rows?id={here},{gone},{foreign},nonsense")
    assert rows(page) == [str(here)]
    assert f'<li class="row settled" id="c-{gone}"' in page.text
    assert f"Marked as fixed by {OTHER.label}" in page.text
    assert str(foreign) not in page.text


def test_outcomes_as_json(desk: FlaskClient, database: Database, site: Site, now: datetime) -> None:
    good, taken = (report(database, site, now, exact=word, start=None) for word in "ab")
    names = [key(database, good), key(database, taken)]
    move(database, site, taken, State.SPAM, now + timedelta(seconds=1))
    answer = act(desk, act="accepted", ids=names).json
    assert [each["key"] for each in answer["outcomes"]] == [key(database, good), None]
    assert answer["outcomes"][1]["problem"].startswith(
        "Somebody was first. Marked as spam by other@"
    )
    assert answer["said"] == "Accepted"
    assert answer["changes"] > answer["since"]
    assert answer["counts"]["accepted"] == "1"


def test_outcomes_of_forms_go_back_to_the_view_and_can_be_undone(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = report(database, site, now)
    one = f"rejected {key(database, made)} House style"
    answer = act(desk, {}, "?sort=oldest&q=wrold", one=one)
    place = answer.headers["Location"]
    assert place.startswith("/review?sort=oldest&q=wrold&did=rejected&done=")
    page = desk.get(place).text
    assert "<strong>Rejected</strong>" in page
    undo = re.findall(r'name="ids" value="([^"]+)"', page)
    assert act(desk, {}, act="undo", ids=undo).status_code == 303
    assert state_of(database, site, made) is State.NEW
    with database.read() as session:
        assert [each.reason for each in moves.history(session, made)] == ["House style", None]


def test_undo_of_what_was_decided_on_its_page_takes_back_nothing_else(
    desk: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    made = report(database, site, clock())
    move(database, site, made, State.ACCEPTED, clock.advance(seconds=1))
    clock.advance(seconds=1)

    def decided() -> list[str]:
        answer = send(desk, f"/review/{made}/moves", to="fixed", next="/review")
        return re.findall(r'name="ids" value="([^"]+)"', desk.get(answer.location).text)

    keys = decided()
    for problem in (None, "Somebody was first. Undone by editor@"):
        clock.advance(seconds=1)
        [told] = act(desk, act="undo", ids=keys).json["outcomes"]
        assert (told["problem"] or "").startswith(problem or "")
        assert (told["key"] is None, state_of(database, site, made)) == (
            problem is not None,
            State.ACCEPTED,
        )
    keys = decided()
    move(database, site, made, State.SPAM, clock.advance(seconds=1))
    [told] = act(desk, act="undo", ids=keys).json["outcomes"]
    assert told["problem"].startswith("Somebody was first. Marked as spam by other@")
    assert state_of(database, site, made) is State.SPAM


@pytest.mark.parametrize(
    "sent", [{}, {"act": "accepted"}, {"act": "win", "ids": "x"}, {"one": ""}, {"one": "win x"}]
)
def test_what_says_nothing_is_refused(desk: FlaskClient, sent: dict[str, str]) -> None:
    assert act(desk, **sent).status_code == 422


def test_reasons_are_the_sites_own(
    desk: FlaskClient, database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    made = report(database, site, now)
    assert "Not a mistake" in desk.get("/review").text
    with database.write() as session:
        found = session.get_one(Site, site.id)
        found.reject_reasons = ["We say it so"]
    for path in ("/review", f"/review/{made}"):
        page = desk.get(path).text
        assert "We say it so" in page
        assert "Not a mistake" not in page


def test_fields_left_empty_ask_for_nothing(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = report(database, site, now)
    page = desk.get("/review?q=&assignee=&category=&language=&reports=&age=&anchor=&sort=newest")
    assert rows(page) == [str(made)]
    assert desk.get("/review?reports=0").status_code == 422


def test_view_is_handed_out_as_a_file(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    wanted = report(database, site, now, exact="=1+1", start=None)
    report(database, site, now, exact="another", start=None)
    move(database, site, report(database, site, now, exact="=1+2", start=None), State.FIXED, now)
    page = desk.get("/review?q=%3D1&sort=oldest").text
    names = re.findall(r'href="(/review/corrections\.\w+)\?q=%3D1&amp;sort=oldest" download', page)
    assert names == ["/review/corrections.csv", "/review/corrections.jsonl"]
    table = desk.get("/review/corrections.csv?q=%3D1").data.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["id"], row["exact"]) == (str(wanted), "'=1+1")
    lines = desk.get("/review/corrections.jsonl?q=%3D1").text.splitlines()
    assert len(lines) == 1
