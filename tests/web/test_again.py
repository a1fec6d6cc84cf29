"""What was typed when the session was over."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.accounts import two_step
from service.db import Database
from service.models import Editor, Note, Site
from service.web import again
from tests.accounts.test_two_step import code
from tests.conftest import Clock
from tests.reporting import report
from tests.web.test_pages import OURS, form_token, sign_in

WORDS = "Two lines,\r\nthe “second” <b>with</b> Ї."


@pytest.fixture
def notes(client: FlaskClient, database: Database, site: Site, editor: Editor, clock: Clock) -> str:
    """Where notes on a correction are sent; an editor is signed in."""
    found: UUID = report(database, site, clock())
    sign_in(client, editor)
    return f"/review/{found}/notes"


def late(client: FlaskClient, clock: Clock, path: str, **form: str) -> Any:
    """What is answered to a form that comes when the session is over."""
    sent = {"form_token": form_token(client), "next": path.rpartition("/")[0], **form}
    clock.advance(hours=13)
    return client.post(path, data=sent, headers=OURS)


def kept_by(page: Any) -> dict[str, str]:
    """What the sign-in form brings along."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}


def texts(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Note.text)))


def test_note_that_came_late_is_offered_and_sent_again(
    client: FlaskClient, database: Database, editor: Editor, clock: Clock, notes: str
) -> None:
    asked = late(client, clock, notes, note=WORDS)
    assert (asked.status_code, texts(database)) == (401, [])
    assert "is kept until you have signed in" in asked.text
    wrong = sign_in(client, editor, **kept_by(asked), password="not this")
    assert wrong.status_code == 401
    offered = sign_in(client, editor, **kept_by(wrong))
    assert (offered.status_code, "Set-Cookie" in offered.headers) == (200, True)
    assert "the “second” &lt;b&gt;with&lt;/b&gt; Ї." in offered.text
    assert f'action="{notes}"' in offered.text
    assert texts(database) == []
    assert client.post(notes, data=kept_by(offered), headers=OURS).status_code == 303
    assert texts(database) == [WORDS.replace("\r", "")]


def test_it_is_kept_through_the_second_step(
    client: FlaskClient, database: Database, editor: Editor, clock: Clock, notes: str
) -> None:
    asked = late(client, clock, notes, note=WORDS)
    with database.write() as session:
        two_step.begin(session, editor.id)
    with database.write() as session:
        given = code(database, editor, clock())
        [first, *_] = two_step.confirm(session, "a secret for tests", editor.id, given, now=clock())
    step = kept_by(sign_in(client, editor, **kept_by(asked)))
    offered = client.post("/login/code", data={**step, "code": first}, headers=OURS)
    assert f'action="{notes}"' in offered.text


def test_tab_without_a_cookie_loses_nothing_either(
    client: FlaskClient, editor: Editor, notes: str
) -> None:
    token = form_token(client)
    client.post("/logout", data={"form_token": token}, headers=OURS)
    asked = client.post(notes, data={"form_token": token, "note": WORDS}, headers=OURS)
    assert asked.status_code == 401
    assert f'action="{notes}"' in sign_in(client, editor, **kept_by(asked)).text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/review/settings/account/password", {"password": "old", "new_password": "new"}),
        ("/review/settings/account/second-step/confirm", {"code": "123456"}),
        ("/logout", {}),
        ("/review/settings/readers/erase", {"email": "x" * again.LONGEST}),
    ],
)
def test_secrets_bare_buttons_and_too_much_are_not_kept(
    client: FlaskClient,
    editor: Editor,
    clock: Clock,
    notes: str,
    path: str,
    form: dict[str, str],
) -> None:
    asked = late(client, clock, path, **form)
    assert asked.status_code == 401
    assert "kept" not in kept_by(asked)
    assert sign_in(client, editor, **kept_by(asked)).status_code == 303


def test_what_another_site_sent_is_not_offered(
    client: FlaskClient, editor: Editor, clock: Clock, notes: str
) -> None:
    clock.advance(hours=13)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    asked = client.post(notes, data={"note": "forged"}, headers=foreign)
    assert (asked.status_code, "forged" in asked.text) == (401, False)


@pytest.mark.parametrize("change", ["text", "seal", "none", "late"])
def test_what_was_not_sealed_here_or_long_ago_is_not_offered(
    client: FlaskClient, editor: Editor, clock: Clock, notes: str, change: str
) -> None:
    asked = kept_by(late(client, clock, notes, note="true"))
    kept = asked["kept"]
    asked["kept"] = {
        "text": kept.replace("true", "forged"),
        "seal": f"00{kept[2:]}",
        "none": "x",
        "late": kept,
    }[change]
    clock.advance(minutes=61 if change == "late" else 59)
    assert sign_in(client, editor, **asked).status_code == 303
