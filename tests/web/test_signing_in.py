"""Invitations, forgotten passwords, the second step, and other sites, by the pages."""

import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import editors, two_step
from service.db import Database
from service.models import Delivery, Editor, Letter, Role, Site
from service.web import agents
from tests.accounts.test_two_step import code
from tests.conftest import PASSWORD, Clock
from tests.web.test_pages import OURS, send, sign_in

SETTINGS = "/review/settings"


@pytest.fixture
def admins(app: Flask, admin: Editor) -> FlaskClient:
    """A browser in which an admin is signed in."""
    client = app.test_client()
    assert sign_in(client, admin).status_code == 303
    return client


def shown_once(page: str) -> str:
    found = re.search(r'id="once" value="([^"]+)"', page)
    assert found, page
    return found[1]


def path(url: str) -> str:
    assert url.startswith("https://localhost/")
    return url.removeprefix("https://localhost")


def invite(admins: FlaskClient, email: str, role: str = "editor") -> str:
    answer = send(admins, f"{SETTINGS}/editors", email=email, role=role)
    assert answer.status_code == 200, answer.text
    return path(shown_once(answer.text))


def test_invitation_leads_to_an_account_and_a_sign_in(
    admins: FlaskClient, client: FlaskClient, site: Site
) -> None:
    link = invite(admins, "New@News.example")
    page = client.get(link)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Join The Daily" in page.text
    short = client.post(link, data={"name": "New", "password": "short"}, headers=OURS)
    assert short.status_code == 422
    assert "A password has 10 to 1,024 characters." in short.text
    assert 'value="New"' in short.text
    joined = client.post(link, data={"name": "New", "password": PASSWORD}, headers=OURS)
    assert (joined.status_code, joined.headers["Location"]) == (303, "/login?done=joined")
    assert client.get(link).status_code == 404
    answer = client.post(
        "/login", data={"email": "new@news.example", "password": PASSWORD}, headers=OURS
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/review")
    assert client.get(f"{SETTINGS}/site").status_code == 403
    people = admins.get(f"{SETTINGS}/editors").text
    assert "new@news.example" in people


def test_invitation_of_who_has_an_account_opens_the_site_beside_theirs(
    admins: FlaskClient, client: FlaskClient, other_site_editor: Editor
) -> None:
    link = invite(admins, other_site_editor.email, "admin")
    # Whoever saw an earlier link may have chosen the account's password: its owner has to sign in.
    assert "sign in with it to join" in client.get(link).text
    assert client.post(link, headers=OURS).status_code == 401
    assert client.get(link).status_code == 200
    sign_in(client, other_site_editor)
    assert "it will open this site too" in client.get(link).text
    assert client.post(link, headers=OURS).headers["Location"] == "/review"
    page = client.get("/review").text
    assert (">The Daily</button>" in page, ">The Other</button>" in page) == (True, True)
    for site in ("the-daily", "the-other"):
        send(client, "/review/site", site=site)
        assert f'title="Site key: {site}"' in client.get("/review").text
    assert send(client, "/review/site", site="nowhere").status_code == 404


def test_forged_form_joins_nobody(admins: FlaskClient, client: FlaskClient) -> None:
    link = invite(admins, "new@news.example")
    sent = {"name": "", "password": PASSWORD}
    answer = client.post(link, data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert client.get(link).status_code == 200


def test_invitation_is_refused_beside_its_field(admins: FlaskClient, editor: Editor) -> None:
    for email, status, words in (
        ("nobody", 422, "This is not an e-mail address."),
        (editor.email, 409, "This person is an editor of this site already."),
    ):
        answer = send(admins, f"{SETTINGS}/editors", email=email, role="admin")
        assert (answer.status_code, words in answer.text) == (status, True)
        assert f'value="{email}"' in answer.text


def test_roles_change_people_leave_and_links_to_passwords_are_made(
    admins: FlaskClient, client: FlaskClient, editor: Editor, admin: Editor
) -> None:
    sign_in(client, editor)
    assert client.get(f"{SETTINGS}/editors").status_code == 403
    send(admins, f"{SETTINGS}/editors/{editor.id}/role", role="admin")
    assert client.get(f"{SETTINGS}/editors").status_code == 200
    link = path(shown_once(send(admins, f"{SETTINGS}/editors/{editor.id}/password-link").text))
    assert editor.email in client.get(link).text
    done = client.post(link, data={"password": PASSWORD + "!"}, headers=OURS)
    assert done.headers["Location"] == "/login?done=password"
    assert client.get("/review").status_code == 401
    assert sign_in(client, editor, password=PASSWORD + "!").status_code == 303
    send(admins, f"{SETTINGS}/editors/{editor.id}/remove")
    assert client.get("/review").status_code == 401
    last = send(admins, f"{SETTINGS}/editors/{admin.id}/remove")
    assert (last.status_code, "A site needs an admin" in last.text) == (409, True)


def letters(database: Database) -> list[Letter]:
    with database.read() as session:
        return list(session.query(Letter).join(Delivery, Delivery.letter_id == Letter.id))


def test_forgotten_password_says_the_same_of_everybody_and_writes_to_whom_it_belongs(
    mailing: FlaskClient, database: Database, editor: Editor
) -> None:
    pages = {}
    for email in (editor.email, "nobody@news.example"):
        answer = mailing.post("/password/forgotten", data={"email": email}, headers=OURS)
        pages[email] = (answer.status_code, answer.text)
    assert pages[editor.email] == pages["nobody@news.example"]
    [letter] = letters(database)
    assert letter.recipient == editor.email
    link = re.search(r"https://localhost(/password/\S+)", letter.data["text"])
    assert link
    answer = mailing.post(link[1], data={"password": PASSWORD + "!"}, headers=OURS)
    assert answer.headers["Location"] == "/login?done=password"
    again = mailing.post(link[1], data={"password": PASSWORD + "?"}, headers=OURS)
    assert again.status_code == 404
    assert sign_in(mailing, editor, password=PASSWORD + "!").status_code == 303


@pytest.fixture
def mailing(settings: Any, database: Database, clock: Clock) -> FlaskClient:
    """A browser at a service that has a mail server."""
    from dataclasses import replace

    from service.app import create_app

    kept = replace(settings, public_url="https://localhost", smtp_url="smtp://127.0.0.1:1")
    return create_app(kept, database, clock=clock).test_client()


def test_second_step_is_asked_for_and_taken_once(
    client: FlaskClient, database: Database, editor: Editor, settings: Any, clock: Clock
) -> None:
    sign_in(client, editor)
    step = f"{SETTINGS}/account/second-step"
    send(client, step)
    assert 'class="qr"' in client.get(step).text
    assert send(client, f"{step}/confirm", code="000000").status_code == 422
    on = send(client, f"{step}/confirm", code=code(database, editor, clock()))
    recovery = re.findall(r"<code>([A-Z2-7-]{19})</code>", on.text)
    assert len(recovery) == 10
    assert recovery[0] not in client.get(step).text

    clock.advance(minutes=5)
    ticket = second(client, editor)
    typed = code(database, editor, clock())
    wrong = client.post("/login/code", data={"ticket": ticket, "code": "000000"}, headers=OURS)
    assert (wrong.status_code, "Set-Cookie" in wrong.headers) == (401, False)
    right = client.post(
        "/login/code",
        data={"ticket": ticket, "code": typed, "next": "/review?state=fixed"},
        headers=OURS,
    )
    assert (right.status_code, right.headers["Location"]) == (303, "/review?state=fixed")
    replayed = client.post("/login/code", data={"ticket": ticket, "code": typed}, headers=OURS)
    assert replayed.status_code == 401
    spent = {"ticket": second(client, editor), "code": recovery[0].lower()}
    assert client.post("/login/code", data=spent, headers=OURS).status_code == 303
    assert client.post("/login/code", data=spent, headers=OURS).status_code == 401

    sign_in_fully = {"ticket": second(client, editor), "code": recovery[1]}
    client.post("/login/code", data=sign_in_fully, headers=OURS)
    assert send(client, f"{step}/off", password="not this").status_code == 422
    assert send(client, f"{step}/off", password=PASSWORD).status_code == 303
    assert sign_in(client, editor).status_code == 303


def second(client: FlaskClient, editor: Editor) -> str:
    """The ticket that the right password gives."""
    answer = sign_in(client, editor)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    found = re.search(r'name="ticket" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def test_ticket_ends_after_five_minutes_and_with_the_password(
    client: FlaskClient, database: Database, editor: Editor, clock: Clock
) -> None:
    with database.write() as session:
        two_step.begin(session, editor.id)
    with database.write() as session:
        [first, *_] = two_step.confirm(
            session, "a secret for tests", editor.id, code(database, editor, clock()), now=clock()
        )
    ticket = second(client, editor)
    clock.advance(minutes=5, seconds=1)
    late = {"ticket": ticket, "code": first}
    assert client.post("/login/code", data=late, headers=OURS).status_code == 401
    ticket = second(client, editor)
    with database.write() as session:
        editors.set_password(session, editor.email, PASSWORD + "!", now=clock())
    changed = {"ticket": ticket, "code": first}
    assert client.post("/login/code", data=changed, headers=OURS).status_code == 401


def test_sessions_are_listed_and_ended(app: Flask, editor: Editor) -> None:
    clients = [app.test_client() for _ in range(3)]
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    for client in clients:
        sent = {"email": editor.email, "password": PASSWORD}
        client.post("/login", data=sent, headers={**OURS, "User-Agent": firefox})
    page = clients[0].get(f"{SETTINGS}/account").text
    assert (page.count("<b>Firefox, Linux</b>"), page.count("this one")) == (3, 1)
    ends = re.findall(r'action="(/review/settings/account/sessions/[^/"]+/end)"', page)
    assert len(ends) == 2
    assert send(clients[0], ends[0]).status_code == 303
    assert sorted(client.get("/review").status_code for client in clients) == [200, 200, 401]
    send(clients[0], f"{SETTINGS}/account/sessions/end")
    assert [client.get("/review").status_code for client in clients[:2]] == [200, 401]


def test_session_of_another_editor_cannot_be_ended(
    app: Flask, admins: FlaskClient, editor: Editor
) -> None:
    client = app.test_client()
    sign_in(client, editor)
    sign_in(app.test_client(), editor)
    [end] = re.findall(
        r'action="(/review/settings/account/sessions/[^/"]+/end)"',
        client.get(f"{SETTINGS}/account").text,
    )
    assert send(admins, end).status_code == 404


def test_password_is_changed_by_who_knows_it_and_ends_the_other_sessions(
    app: Flask, client: FlaskClient, editor: Editor
) -> None:
    other = app.test_client()
    sign_in(other, editor)
    sign_in(client, editor)
    change = f"{SETTINGS}/account/password"
    wrong = send(client, change, password="not this", new_password=PASSWORD + "!")
    assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
    short = send(client, change, password=PASSWORD, new_password="short")
    assert (short.status_code, 'id="new_password-wrong"' in short.text) == (422, True)
    assert send(client, change, password=PASSWORD, new_password=PASSWORD + "!").status_code == 303
    assert (client.get("/review").status_code, other.get("/review").status_code) == (200, 401)


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.0", ""),
        ("<script>", ""),
    ],
)
def test_user_agent_is_told_in_two_words(user_agent: str, told: str) -> None:
    assert agents.family(user_agent) == told


def test_sign_in_goes_on_with_the_site_used_last(
    client: FlaskClient,
    database: Database,
    editor: Editor,
    other_site: Site,
    now: datetime,
    clock: Clock,
) -> None:
    with database.write() as session:
        editors.create(session, editor.email, "", other_site, Role.EDITOR, now=now)
    sign_in(client, editor)
    send(client, "/review/site", site=other_site.key)
    clock.advance(hours=1)
    sign_in(client, editor)
    assert f"Site key: {other_site.key}" in client.get("/review").text
