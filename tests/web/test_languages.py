from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from service.accounts.principals import Principal
from service.db import Database
from service.desk import moves
from service.desk.moves import By, Decision
from service.models import Editor, Site, State
from service.web import words
from service.web.languages import counted
from tests.reporting import report
from tests.web.test_pages import OURS, send, sign_in


def within(app: Flask, site: Site, say: Any, *, accepted: str = "", **chosen: str) -> str:
    with app.test_request_context("/review", headers={"Accept-Language": accepted}):
        g.principal = Principal(site.id, frozenset(), "editor@news.example", **chosen)
        return str(say())


def test_language_is_the_editors_own_else_the_browsers_else_english(app: Flask, site: Site) -> None:
    def day() -> str:
        return words.day("2026-03-01T12:00:00Z")

    assert within(app, site, day) == "1 Mar 2026"
    assert within(app, site, day, accepted="de, uk;q=0.5, en;q=0.4") == "1 бер. 2026"
    assert within(app, site, day, accepted="uk", locale="en") == "1 Mar 2026"
    assert within(app, site, day, accepted="en", locale="uk") == "1 бер. 2026"
    assert within(app, site, day, accepted="en", locale="tlh") == "1 Mar 2026"


def test_moment_is_in_the_editors_time_zone(app: Flask, site: Site) -> None:
    def moment() -> str:
        return words.moment("2026-03-01T22:30:00Z")

    assert within(app, site, moment) == "1 Mar 2026, 22:30 UTC"
    assert within(app, site, moment, time_zone="Europe/Kyiv") == "2 Mar 2026, 00:30 +0200"
    assert within(app, site, moment, time_zone="gone/missing") == "1 Mar 2026, 22:30 UTC"


@pytest.mark.parametrize(
    ("ago", "english", "ukrainian"),
    [
        (timedelta(minutes=5), "5 min. ago", "5 хв тому"),
        (timedelta(hours=3), "3 hr. ago", "3 год тому"),
        (timedelta(days=2), "2 days ago", "2 дн. тому"),
        (timedelta(days=8), "21 Feb 2026", "21 лют. 2026"),
    ],
)
def test_age_is_told_in_the_language(
    app: Flask, site: Site, now: datetime, ago: timedelta, english: str, ukrainian: str
) -> None:
    def age() -> str:
        return words.age(now - ago, now)

    assert within(app, site, age) == english
    assert within(app, site, age, locale="uk") == ukrainian


def test_age_of_a_moment_ago_is_just_now(app: Flask, site: Site, now: datetime) -> None:
    assert within(app, site, lambda: words.age(now, now + timedelta(seconds=59))) == "just now"


def test_count_has_the_form_of_its_number(app: Flask, site: Site) -> None:
    def count(number: int) -> str:
        return within(app, site, lambda: counted("%(num)s report", "%(num)s reports", number))

    assert [count(1), count(2), count(12_000)] == ["1 report", "2 reports", "12,000 reports"]


def test_editor_chooses_language_and_time_zone(client: FlaskClient, editor: Editor) -> None:
    sign_in(client, editor)
    assert '<html lang="en"' in client.get("/review").text
    answer = send(
        client, "/review/settings/account", name="Desk", locale="uk", time_zone="Europe/Kyiv"
    )
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/review/settings/account?saved=profile",
    )
    page = client.get("/review/settings/account").text
    assert '<html lang="uk"' in page
    assert '<option value="Europe/Kyiv" selected>' in page
    assert 'value="Desk"' in page


def test_choices_that_do_not_exist_are_told_beside_their_fields(
    client: FlaskClient, editor: Editor
) -> None:
    sign_in(client, editor)
    answer = send(
        client, "/review/settings/account", name="Desk", locale="tlh", time_zone="Mars/North"
    )
    assert answer.status_code == 422
    assert "The desk does not speak this language." in answer.text
    assert "There is no such time zone." in answer.text
    assert 'value="Desk"' in answer.text
    assert '<html lang="en"' in client.get("/review").text


UKRAINIAN = {"Accept-Language": "uk", "Accept": "text/html"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere", ["Не знайдено", "За цією адресою нічого немає"]),
        (f"/review/{UUID(int=7)}", ["Не знайдено", "Такого виправлення немає."]),
        ("/review?limit=0", ["Деякі поля заповнено неправильно"]),
        (
            "/review/settings/audit",
            ["Вам цього не дозволено", "Для цього потрібен дозвіл «admin»."],
        ),
    ],
)
def test_refusal_is_told_in_the_language(
    client: FlaskClient, editor: Editor, path: str, said: list[str]
) -> None:
    sign_in(client, editor)
    page = client.get(path, headers=UKRAINIAN).text
    assert [each for each in said if each not in page] == []
    assert "На головну" in page
    assert ("До черги" in page) == path.startswith("/review")


def test_refused_decision_names_the_states_in_the_language(
    client: FlaskClient, editor: Editor, database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    with database.write() as session:
        by, decision = By("token:cms"), Decision(State.ACCEPTED)
        moves.decide(session, site.id, correction_id, decision, by=by, now=now)
    sign_in(client, editor)
    asked = {"to": "fixed", "from": "new"}
    answer = send(client, f"/review/{correction_id}/moves", {**OURS, **UKRAINIAN}, **asked)
    assert "Стан цього виправлення — «прийнято», зробити його «виправлено» не можна." in answer.text
    assert "«нове», змінено 2026-03-01 о 12:00 UTC: token:cms." in answer.text


def test_wrong_password_is_told_in_the_language(client: FlaskClient, editor: Editor) -> None:
    sent = {"email": editor.email, "password": "wrong"}
    page = client.post("/login", data=sent, headers={**OURS, **UKRAINIAN}).text
    assert "Неправильна адреса електронної пошти або пароль" in page
