import re
from dataclasses import replace
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import editors, sessions
from service.app import create_app
from service.db import Database
from service.desk import acts, changes, moves, revisions
from service.desk.moves import By, Decision
from service.desk.revisions import NewText
from service.models import Correction, Editor, Site, State
from service.settings import Settings
from tests.conftest import ORIGIN, PASSWORD, Clock
from tests.reporting import report

OURS = {"Sec-Fetch-Site": "same-origin"}


def sign_in(client: FlaskClient, editor: Editor, **form: str) -> Any:
    sent = {"email": editor.email, "password": PASSWORD, **form}
    return client.post("/login", data=sent, headers=OURS)


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    """A browser in which the editor is signed in."""
    assert sign_in(client, editor).status_code == 303
    return client


def form_token(client: FlaskClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/review").text)
    assert found
    return found[1]


def send(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **form: str) -> Any:
    sent = {"form_token": form_token(client), **form}
    return client.post(path, data=sent, headers=OURS if headers is None else headers)


def state_of(database: Database, site: Site, correction_id: UUID) -> State:
    with database.read() as session:
        return changes.find(session, site.id, correction_id).state


# Signing in and out


def test_sign_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(
    client: FlaskClient, editor: Editor
) -> None:
    answer = sign_in(client, editor, next="/review?state=fixed")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/review?state=fixed")
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    assert name == "__Host-corrigenda"
    assert rest.split("; ")[1:] == ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"]


def test_cookie_over_plain_http_has_the_plain_name(
    settings: Settings, database: Database, editor: Editor, clock: Clock
) -> None:
    plain = replace(settings, public_url="http://127.0.0.1:8000")
    app = create_app(plain, database, clock=clock)
    cookie = sign_in(app.test_client(), editor).headers["Set-Cookie"]
    assert cookie.startswith("corrigenda=")
    assert "Secure" not in cookie


def test_each_sign_in_gets_a_new_token_and_ends_the_one_before(
    client: FlaskClient, app: Flask, editor: Editor
) -> None:
    first = cookie_of(sign_in(client, editor))
    second = cookie_of(sign_in(client, editor))
    assert first != second
    assert replay(app, first).status_code == 401


def cookie_of(answer: Any) -> str:
    value: str = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    return value


def replay(app: Flask, cookie: str) -> Any:
    client = app.test_client()
    client.set_cookie("__Host-corrigenda", cookie)
    return client.get("/review")


def test_cookie_is_worth_nothing_after_sign_out(
    client: FlaskClient, app: Flask, editor: Editor
) -> None:
    cookie = cookie_of(sign_in(client, editor))
    assert replay(app, cookie).status_code == 200
    assert send(client, "/logout").headers["Location"] == "/login"
    over = replay(app, cookie)
    assert over.status_code == 401
    assert "Your session is over" in over.text
    assert 'name="password"' in over.text
    assert client.get("/review").headers["Location"] == "/login?next=/review"


@pytest.mark.parametrize("ending", ["password", "disabled", "idle"])
def test_session_ends_at_once(
    desk: FlaskClient, database: Database, editor: Editor, clock: Clock, ending: str
) -> None:
    with database.write() as session:
        if ending == "password":
            editors.set_password(session, editor.email, PASSWORD + "!", now=clock())
        elif ending == "disabled":
            editors.disable(session, editor.email, now=clock())
        else:
            clock.at += sessions.IDLE
    assert desk.get("/review").status_code == 401


def test_unknown_account_and_wrong_password_get_the_same_answer(
    client: FlaskClient, editor: Editor
) -> None:
    wrong = sign_in(client, editor, password="not the password")
    unknown = client.post(
        "/login", data={"email": "nobody@news.example", "password": "x"}, headers=OURS
    )
    unstorable = client.post("/login", data={"email": "a\x00@b", "password": "x"}, headers=OURS)
    assert {answer.status_code for answer in (wrong, unknown, unstorable)} == {401}
    texts = [
        re.sub(r' value="[^"]*@[^"]*"', "", answer.text) for answer in (wrong, unknown, unstorable)
    ]
    assert texts[0] == texts[1] == texts[2]
    assert "The e-mail address or the password is wrong" in texts[0]
    assert not any("Set-Cookie" in answer.headers for answer in (wrong, unknown, unstorable))


def test_guessing_is_limited_by_account_from_many_addresses(
    client: FlaskClient, editor: Editor
) -> None:
    def guess(number: int, email: str) -> int:
        return client.post(
            "/login",
            data={"email": email, "password": "guess"},
            headers=OURS,
            environ_base={"REMOTE_ADDR": f"203.0.113.{number}"},
        ).status_code

    answers = [guess(number, f" {editor.email.upper()}") for number in range(11)]
    assert answers == [401] * 10 + [429]
    assert guess(200, "other@news.example") == 401


def test_guessing_is_limited_by_address_over_many_accounts(client: FlaskClient) -> None:
    answers = [
        client.post(
            "/login", data={"email": f"e{number}@news.example", "password": "x"}, headers=OURS
        )
        for number in range(21)
    ]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "place",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "javascript:alert(1)",
     "/\t/evil.example", "/a\r\nb", "http:evil", ""],
)  # fmt: skip
def test_sign_in_leads_nowhere_else(client: FlaskClient, editor: Editor, place: str) -> None:
    assert sign_in(client, editor, next=place).headers["Location"] == "/review"


def test_nobody_is_led_to_the_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/review?state=fixed&q=a")
    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (303, "/login")
    page = client.get(answer.headers["Location"])
    assert unescape(re.findall(r'name="next" value="([^"]*)"', page.text)[0]) == (
        "/review?state=fixed&q=a"
    )


# Forms from elsewhere


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://localhost"}, 403),
        ({"Origin": "https://localhost"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 303),
    ],
)
def test_form_from_another_site_is_refused(
    desk: FlaskClient,
    database: Database,
    site: Site,
    now: datetime,
    headers: dict[str, str],
    status: int,
) -> None:
    correction_id = report(database, site, now)
    answer = send(desk, f"/review/{correction_id}/moves", headers, to="spam")
    assert answer.status_code == status
    assert state_of(database, site, correction_id) is (State.SPAM if status == 303 else State.NEW)


@pytest.mark.parametrize("sent", ["", "x", "é"])
def test_form_without_this_sessions_token_is_refused(
    desk: FlaskClient, database: Database, site: Site, now: datetime, sent: str
) -> None:
    correction_id = report(database, site, now)
    answer = send(desk, f"/review/{correction_id}/moves", to="spam", form_token=sent)
    assert (answer.status_code, state_of(database, site, correction_id)) == (403, State.NEW)


def test_sign_in_from_another_site_is_refused(client: FlaskClient, editor: Editor) -> None:
    answer = client.post(
        "/login",
        data={"email": editor.email, "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_get_changes_nothing(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    token = form_token(desk)
    for path in (f"/review/{correction_id}/moves", f"/review/{correction_id}/changes", "/logout"):
        assert desk.get(path, query_string={"to": "spam", "form_token": token}).status_code == 405
    assert state_of(database, site, correction_id) is State.NEW
    assert desk.get("/review").status_code == 200


# The queue


def rows(page: Any) -> list[str]:
    return re.findall(r'<li class="row" id="c-([^"]+)"', page.text)


def test_queue_shows_the_change_in_its_context(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    report(database, site, now)
    report(database, site, now, comment="twice <b>today</b>")
    text = desk.get("/review").text
    assert "<strong>2</strong> <span>reports</span>" in text
    assert '<span class="around">hello </span><del>wr' in text
    assert '<span class="around"> text</span>' in text
    assert "twice &lt;b&gt;today&lt;/b&gt;" in text
    assert "The bus is late" in text


def test_tabs_count_and_filter(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = {state: report(database, site, now, exact=state.value, start=None) for state in State}
    trapped = report(database, site, now, website="spam")
    with database.write() as session:
        for state, correction_id in made.items():
            if state is not State.NEW:
                decision = Decision(state)
                moves.decide(
                    session, site.id, correction_id, decision, by=By("token:tests"), now=now
                )
    page = desk.get("/review")
    assert rows(page) == [str(made[State.NEW])]
    counted = re.findall(r'data-count="(\w+)">(\d+)</span>', page.text)
    assert dict(counted) == dict.fromkeys([*State, "suspected"], "1")
    for state, correction_id in made.items():
        assert rows(desk.get(f"/review?state={state}")) == [str(correction_id)]
    assert rows(desk.get("/review?suspected=true")) == [str(trapped)]


def test_suspected_that_is_called_spam_is_listed_as_spam(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    trapped = report(database, site, now, website="spam")
    send(desk, f"/review/{trapped}/moves", to="spam")
    assert rows(desk.get("/review?suspected=true")) == []
    assert rows(desk.get("/review?state=spam")) == [str(trapped)]


def test_suspected_can_be_freed(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    trapped = report(database, site, now, website="spam")
    answer = send(desk, f"/review/{trapped}/changes", suspected="false", next="/review")
    assert answer.status_code == 303
    assert rows(desk.get("/review")) == [str(trapped)]


def test_next_page_keeps_the_view(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = [str(report(database, site, now, exact=word, start=None)) for word in "abc"]
    seen: list[str] = []
    place = "/review?sort=oldest&limit=2&q=late"
    while place:
        page = desk.get(place)
        seen += rows(page)
        found = re.search(r'rel="next" href="([^"]+)"', page.text)
        place = unescape(found[1]) if found else ""
        assert not place or "q=late" in place
    assert seen == made


@pytest.mark.parametrize("query", ["sort=best", "limit=0", "cursor=x", "state=open"])
def test_bad_view_is_a_page_that_says_so(desk: FlaskClient, query: str) -> None:
    answer = desk.get(f"/review?{query}", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (422, "text/html")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing is waiting"),
        ("?q=nothing", "Nothing matches"),
        ("?state=fixed", "No correction is fixed"),
    ],
)
def test_empty_queue_says_why(desk: FlaskClient, query: str, words: str) -> None:
    assert words in desk.get(f"/review{query}").text


# Deciding


@pytest.mark.parametrize("to", ["accepted", "fixed", "rejected", "spam"])
def test_decision_goes_back_to_the_queue_and_can_be_undone(
    desk: FlaskClient, database: Database, site: Site, editor: Editor, now: datetime, to: str
) -> None:
    correction_id = report(database, site, now)
    place = "/review?sort=oldest"
    answer = send(
        desk,
        f"/review/{correction_id}/moves",
        **{"to": to, "from": "new", "next": place, "reason": " why "},
    )
    with database.read() as session:
        [kept] = moves.history(session, correction_id)
    key = f"{correction_id}.{acts.mark(kept.created_at)}"
    assert answer.headers["Location"] == f"{place}&done={key}"
    assert (kept.to_state, kept.by, kept.reason) == (to, editor.email, "why")
    assert "Undo" in desk.get(answer.headers["Location"]).text
    undo = send(desk, f"/review/{correction_id}/moves", **{"to": "new", "from": to})
    assert undo.status_code == 303
    assert state_of(database, site, correction_id) is State.NEW


def test_decision_about_what_another_decided_says_who(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    with database.write() as session:
        moves.decide(
            session, site.id, correction_id, Decision(State.ACCEPTED), by=By("token:cms"), now=now
        )
    answer = send(
        desk,
        f"/review/{correction_id}/moves",
        {**OURS, "Accept": "text/html"},
        **{"to": "fixed", "from": "new"},
    )
    assert (answer.status_code, answer.mimetype) == (409, "text/html")
    assert "token:cms moved it from new" in answer.text
    assert state_of(database, site, correction_id) is State.ACCEPTED


def kept(database: Database, site: Site, correction_id: UUID) -> Correction:
    with database.read() as session:
        return changes.find(session, site.id, correction_id)


def test_wording_and_note_are_put_down(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    send(
        desk,
        f"/review/{correction_id}/moves",
        to="accepted",
        suggestion="one\r\ntwo",
        public_note="Thank you.",
    )
    found = kept(database, site, correction_id)
    assert (found.wording, found.public_note) == ("one\ntwo", "Thank you.")


def test_assignee_and_category_are_changed_and_cleared(
    desk: FlaskClient, database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now)
    path = f"/review/{correction_id}/changes"
    send(desk, path, assignee=editor.email, category="fact")
    found = kept(database, site, correction_id)
    assert (found.assignee_id, found.category) == (editor.id, "fact")
    assert "yours" in desk.get("/review").text
    send(desk, path, assignee="", category="")
    found = kept(database, site, correction_id)
    assert (found.assignee_id, found.category) == (None, None)


def test_one_correction_shows_everything_about_it(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now, comment="first", email="reader@example.org")
    report(database, site, now, suggestion="words", comment="second")
    send(desk, f"/review/{correction_id}/moves", to="rejected", reason="House style")
    text = desk.get(f"/review/{correction_id}").text
    for told in (
        "first",
        "second",
        "reader@example.org",
        "1 ×",
        "House style",
        "editor@news.example",
    ):
        assert told in text
    assert 'href="https://news.example/a#:~:text=hello-,wrold,-text"' in text


def test_changed_text_is_told_with_what_it_reads_now(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    text = "Passengers with a pass will {} the night service at no cost, the operator said."
    at = text.index("{}")
    correction_id = report(
        database, site, now, exact="recieve", suggestion="receive", start=at,
        prefix=text[:at], suffix=text[at + 2 :],
    )  # fmt: skip
    with database.write() as session:
        new = NewText(f"{ORIGIN}/a", text.format("enjoy"))
        revisions.push(session, site, new, now=now)
    assert "the text has changed since" in desk.get("/review").text
    page = desk.get(f"/review/{correction_id}").text
    assert "In this place it reads now:" in page
    assert "<mark>enjoy</mark>" in page
    with database.write() as session:
        new = NewText(f"{ORIGIN}/a", "Another article altogether, about the library and its books.")
        revisions.push(session, site, new, now=now)
    assert "no longer in the text" in desk.get("/review").text
    assert "No longer in the text." in desk.get(f"/review/{correction_id}").text


def test_other_sites_corrections_are_not_there(
    desk: FlaskClient, database: Database, other_site: Site, now: datetime
) -> None:
    foreign = report(database, other_site, now)
    assert rows(desk.get("/review")) == []
    for path in (f"/review/{foreign}", f"/review/{uuid4()}", "/review/no-id"):
        assert desk.get(path).status_code == 404
    for path in (f"/review/{foreign}/moves", f"/review/{foreign}/changes"):
        assert send(desk, path, to="spam", category="fact").status_code == 404
    page = desk.get(f"/review?done={foreign}").text
    assert re.search(r'<div class="done" role="status">\s*</div>', page)
    assert state_of(database, other_site, foreign) is State.NEW


# Readers' words are text


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>{{8191*131071}}"


def test_readers_words_are_only_text_everywhere(
    desk: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(
        database, site, now, exact=HOSTILE, prefix=HOSTILE, suffix=HOSTILE, suggestion=HOSTILE + "!",
        comment=HOSTILE, title=HOSTILE, email="<b>@example.org", start=None,
    )  # fmt: skip
    pages = [
        desk.get("/review").text,
        desk.get(f"/review/{correction_id}").text,
        desk.get(f"/review?done={correction_id}").text,
    ]
    for text in pages:
        assert not re.search(r"<script(?! src=)|<img|onerror=(?!alert\(1\)&gt;)|<b>@", text)
        assert str(8191 * 131071) not in text
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize("path", ["/", "/login", "/review", "/nowhere"])
def test_pages_have_no_inline_script_or_style(desk: FlaskClient, path: str) -> None:
    answer = desk.get(path, headers={"Accept": "text/html"})
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy


def test_problem_is_json_where_no_page_is_asked_for(client: FlaskClient) -> None:
    assert client.get("/r/unknown").mimetype == "application/problem+json"
    asked = client.get("/api/v1/receipts/unknown", headers={"Accept": "text/html"})
    assert asked.mimetype == "application/problem+json"
