"""The form that puts a correction on the record: preview, hold, change, withdrawal, refusals."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.desk import moves
from service.desk.moves import By, Decision
from service.models import Editor, Publication, Site, State
from service.record import publications
from service.settings import Settings
from tests.conftest import Clock
from tests.reporting import report
from tests.web.test_pages import send, sign_in

HIDDEN = re.compile(
    r'<input type="hidden" name="(version|seen_at|from|back|next|entry_version)" value="([^"]*)">'
)
ENTRY = {"kind": "clarification", "said": "wrold", "says": "world", "entry_note": "A slip."}


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    sign_in(client, editor)
    return client


@pytest.fixture
def path(database: Database, site: Site, editor: Editor, now: datetime) -> str:
    """The page of a correction that was marked as fixed."""
    correction_id = report(database, site, now)
    with database.write() as session:
        by = By(editor.email, editor.id)
        moves.decide(session, site.id, correction_id, Decision(State.FIXED), by=by, now=now)
    return f"/review/{correction_id}"


def section(text: str) -> str:
    return text.partition('aria-labelledby="publish"')[2].partition("</section>")[0]


def hidden(desk: FlaskClient, path: str) -> dict[str, str]:
    found = HIDDEN.findall(section(desk.get(path).text))
    return {name: unescape(value) for name, value in found}


def publish(desk: FlaskClient, path: str, **changes: str) -> Any:
    return send(desk, f"{path}/publication", **{**hidden(desk, path), **ENTRY, **changes})


def kept(database: Database, path: str) -> Publication | None:
    with database.read() as session:
        return publications.of_correction(session, UUID(path.rpartition("/")[2]))


def listed(desk: FlaskClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = desk.get("/api/v1/sites/the-daily/record").json["items"]
    return items


def test_new_correction_has_no_form(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    assert section(desk.get(f"/review/{report(database, site, now)}").text) == ""


def test_form_begins_with_the_words_of_the_correction(desk: FlaskClient, path: str) -> None:
    assert re.findall(r">([^<]*)</textarea>", section(desk.get(path).text)) == [
        "wrold", "world", "",
    ]  # fmt: skip


def test_published_entry_goes_out_when_the_hold_is_over(
    desk: FlaskClient, database: Database, path: str, settings: Settings, clock: Clock
) -> None:
    hold = timedelta(seconds=settings.hold_seconds)
    published_at = clock() + hold
    answer = publish(desk, path, thanks="R.")
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, path)
    found = kept(database, path)
    assert found is not None
    assert (found.kind, found.said, found.says, found.note, found.thanks, found.published_at) == (
        "clarification", "wrold", "world", "A slip.", "R.", published_at,
    )  # fmt: skip
    assert "Goes out on " in section(desk.get(path).text)
    assert listed(desk) == []
    clock.advance(seconds=settings.hold_seconds)
    assert [entry["id"] for entry in listed(desk)] == [str(found.id)]
    assert f'href="/record/the-daily/{found.id}"' in section(desk.get(path).text)


def test_preview_shows_the_entry_and_writes_nothing(
    desk: FlaskClient, database: Database, path: str
) -> None:
    answer = publish(desk, path, preview="1", entry_note="A <b>slip</b>.")
    shown = section(answer.text).partition('class="entry"')[2].partition("<form")[0]
    assert answer.status_code == 200
    assert "<del>wrold</del>" in shown
    assert "<ins>world</ins>" in shown
    assert "A &lt;b&gt;slip&lt;/b&gt;." in shown
    assert "/record/" not in shown
    assert 'value="clarification" selected' in section(answer.text)
    assert kept(database, path) is None


def test_words_taken_out_are_an_empty_text(
    desk: FlaskClient, database: Database, path: str
) -> None:
    publish(desk, path, removed="1")
    found = kept(database, path)
    assert found is not None
    assert found.says == ""
    assert 'name="removed" value="1" checked' in section(desk.get(path).text)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"kind": "apology"}, "kind"),
        ({"thanks": "x" * 201}, "thanks"),
        ({"entry_note": "x" * 2001}, "entry_note"),
        ({"says": "wrold", "entry_note": ""}, "says"),
        ({"said": "", "removed": "1"}, "said"),
    ],
)
def test_refusal_keeps_what_was_typed(
    desk: FlaskClient, database: Database, path: str, changes: dict[str, str], wrong: str
) -> None:
    answer = publish(desk, path, **{"said": "wrold", "thanks": "Reader", **changes})
    told = section(answer.text)
    assert answer.status_code == 422
    assert re.findall(r'class="wrong" id="([a-z_]+)-wrong"', told) == [wrong]
    for name in ("said", "says", "entry_note", "thanks"):
        assert {**ENTRY, "thanks": "Reader", **changes}[name] in told
    assert kept(database, path) is None


def test_form_older_than_the_entry_is_refused(
    desk: FlaskClient, database: Database, path: str
) -> None:
    old = hidden(desk, path)
    publish(desk, path, entry_note="Theirs")
    answer = send(desk, f"{path}/publication", **{**old, **ENTRY, "entry_note": "Mine"})
    assert answer.status_code == 412
    assert ">Mine</textarea>" in section(answer.text)
    found = kept(database, path)
    assert found is not None
    assert (found.version, found.note) == (1, "Theirs")


def test_withdrawn_entry_leaves_a_trace(
    desk: FlaskClient, database: Database, path: str, settings: Settings, clock: Clock
) -> None:
    publish(desk, path)
    clock.advance(seconds=settings.hold_seconds)
    sent = {**hidden(desk, path), "withdrawal_reason": "Was right after all"}
    answer = send(desk, f"{path}/publication/withdraw", **sent)
    assert answer.status_code == 303
    [entry] = listed(desk)
    assert (entry["withdrawn_reason"], entry["said"]) == ("Was right after all", None)
    told = section(desk.get(path).text)
    assert "Withdrawn on " in told
    assert "2 versions" in told
    assert publish(desk, path).status_code == 303
    found = kept(database, path)
    assert found is not None
    assert (found.version, found.withdrawn_at) == (3, None)


def test_held_entry_taken_back_leaves_none_in_public(
    desk: FlaskClient, path: str, settings: Settings, clock: Clock
) -> None:
    publish(desk, path)
    send(desk, f"{path}/publication/withdraw", **hidden(desk, path))
    clock.advance(seconds=settings.hold_seconds)
    assert listed(desk) == []
    assert "2 versions" in section(desk.get(path).text)


def test_refused_reason_of_a_withdrawal_is_kept(
    desk: FlaskClient, path: str, settings: Settings, clock: Clock
) -> None:
    publish(desk, path)
    clock.advance(seconds=settings.hold_seconds)
    sent = {**hidden(desk, path), "withdrawal_reason": "y" * 501}
    answer = send(desk, f"{path}/publication/withdraw", **sent)
    assert answer.status_code == 422
    assert f'value="{"y" * 501}"' in section(answer.text)
    assert "Withdrawn on " not in section(desk.get(path).text)
