"""Guessing accounts by what is answered and how long it takes, and guessing passwords."""

import statistics
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import editors
from service.app import create_app
from service.db import Database
from service.models import Editor, Role, Site
from service.settings import Settings
from service.web.limits import limiter
from tests.conftest import PASSWORD, Clock
from tests.security.tally import Tally
from tests.web.test_pages import OURS, form_token, sign_in

ROW = "guessing"

ROUNDS = 15
"""Fewer could not tell a median from noise; more would only take time."""


def attempt(app: Flask, email: str, password: str, address: str) -> Any:
    client = app.test_client()
    return client.post(
        "/login",
        data={"email": email, "password": password},
        headers=OURS,
        environ_base={"REMOTE_ADDR": address},
    )


@pytest.fixture
def slow_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost enough here that nothing else counts: an eighth of what they do in service."""
    monkeypatch.setattr(editors, "hasher", PasswordHasher(memory_cost=8192, parallelism=1))


def test_unknown_disabled_and_known_accounts_take_the_same_time(
    slow_hasher: None,
    database: Database,
    editor: Editor,
    site: Site,
    now: datetime,
    tally: Tally,
) -> None:
    """By the processor's time: another program on this machine must not decide."""
    with database.write() as session:
        editors.create(session, "gone@news.example", PASSWORD, site, Role.EDITOR, now=now)
        editors.disable(session, "gone@news.example", now=now)
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, email in {
            "known": editor.email,
            "unknown": "nobody@news.example",
            "disabled": "gone@news.example",
            "empty": "",
            "long": "x" * 2000 + "@news.example",
        }.items():
            began = time.thread_time()
            with pytest.raises(editors.WrongCredentials), database.read() as session:
                editors.check_password(session, email, "not the password")
            times.setdefault(name, []).append(time.thread_time() - began)
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, found in medians.items():
        ratio = found / medians["known"]
        tally.add((name, round(ratio, 2)), held=2 / 3 < ratio < 3 / 2)


def test_answers_are_the_same_to_the_letter(
    app: Flask, database: Database, editor: Editor, site: Site, now: datetime, tally: Tally
) -> None:
    with database.write() as session:
        editors.create(session, "gone@news.example", PASSWORD, site, Role.EDITOR, now=now)
        editors.disable(session, "gone@news.example", now=now)
    expected = attempt(app, editor.email, "not the password", "203.0.113.1")
    assert expected.status_code == 401
    cases = [
        ("nobody@news.example", "not the password"),
        ("gone@news.example", "not the password"),
        ("gone@news.example", PASSWORD),
        (editor.email, ""),
        (editor.email, PASSWORD.upper()),
        (editor.email, PASSWORD + " "),
        (editor.email, PASSWORD[:-1]),
        (editor.email, PASSWORD + "\0"),
        (editor.email, "x" * 2000),
        ("nobody@news.example", "x" * 2000),
        ("' OR '1'='1", "x"),
        ("%", "x"),
        ("\0", "x"),
        ("é" * 100, "x"),
        ("", ""),
    ]
    for number, (email, password) in enumerate(cases):
        answer = attempt(app, email, password, f"203.0.113.{number + 2}")
        shown = answer.text.replace(email, "@@") if len(email) > 3 else answer.text
        told = expected.text.replace(editor.email, "@@")
        held = answer.status_code == 401 and "Set-Cookie" not in answer.headers
        if len(email) > 3 and email.isprintable() and "'" not in email:
            held = held and shown == told
        tally.add((email, password[:20], answer.status_code), held=held)


def test_passwords_cannot_be_tried_faster_from_many_places(
    settings: Settings, database: Database, editor: Editor, clock: Clock, tally: Tally
) -> None:
    app = create_app(replace(settings, public_url="https://localhost"), database, clock=clock)
    spellings = [editor.email, editor.email.upper(), f" {editor.email} ", editor.email.title()]
    tried = [
        attempt(
            app, spellings[number % len(spellings)], f"guess {number}", f"203.0.113.{number}"
        ).status_code
        for number in range(25)
    ]
    for number, status in enumerate(tried):
        tally.add((number, status), held=status == (401 if number < 10 else 429))
    # Whoever guesses locks nobody out for good.
    assert attempt(app, editor.email, PASSWORD, "198.51.100.1").status_code == 429


def test_guesses_elsewhere_do_not_keep_out_a_browser_that_signed_in_before(
    settings: Settings, database: Database, editor: Editor, clock: Clock, tally: Tally
) -> None:
    app = create_app(replace(settings, public_url="https://localhost"), database, clock=clock)
    known = app.test_client()
    assert sign_in(known, editor).status_code == 303
    cookie = known.get_cookie("__Host-corrigenda-known", domain="localhost")
    assert cookie
    for number in range(12):
        attempt(app, editor.email, f"guess {number}", f"203.0.113.{number}")
    assert sign_in(app.test_client(), editor).status_code == 429
    assert sign_in(known, editor).status_code == 303
    # It counts too, and nobody makes one up.
    tried = [sign_in(known, editor, password="wrong").status_code for _ in range(11)]
    tally.add("known", held=tried == [401] * 9 + [429] * 2)
    given, _, seal = cookie.value.partition(".")
    forged = [f"{given}0.{seal}", f"{given}.{seal[:-1]}", ".", "é.é", "", f"{given}.", "9" * 4000]
    for each in forged:
        tally.add(each[:40], held=known_by(app, editor, each) == 429)


def known_by(app: Flask, editor: Editor, cookie: str) -> int:
    """What a sign-in with the right password is answered in a browser with this cookie."""
    client = app.test_client()
    client.set_cookie("__Host-corrigenda-known", cookie, domain="localhost", secure=True)
    status: int = sign_in(client, editor).status_code
    return status


def test_browser_is_known_for_half_a_year_and_until_the_password_changes(
    settings: Settings, database: Database, editor: Editor, clock: Clock, tally: Tally
) -> None:
    app = create_app(replace(settings, public_url="https://localhost"), database, clock=clock)

    def signed_in() -> str:
        client = app.test_client()
        assert sign_in(client, editor).status_code == 303
        cookie = client.get_cookie("__Host-corrigenda-known", domain="localhost")
        assert cookie
        return cookie.value

    first = signed_in()
    clock.advance(days=2)
    second = signed_in()
    for number in range(12):
        attempt(app, editor.email, f"guess {number}", f"203.0.113.{number}")
    clock.advance(days=179)
    tally.add("too long ago", held=known_by(app, editor, first) == 429)
    tally.add("half a year", held=known_by(app, editor, second) == 303)
    with database.write() as session:
        editors.set_password(session, editor.email, PASSWORD, now=clock())
    tally.add("another password", held=known_by(app, editor, second) == 429)


def test_forged_addresses_do_not_help(app: Flask, tally: Tally) -> None:
    for number in range(30):
        client = app.test_client()
        answer = client.post(
            "/login",
            data={"email": f"account{number}@news.example", "password": "guess"},
            headers={
                **OURS,
                "X-Forwarded-For": f"198.51.100.{number}",
                "Forwarded": f"for=198.51.100.{number}",
                "X-Real-IP": f"198.51.100.{number}",
            },
        )
        tally.add(
            (number, answer.status_code), held=answer.status_code == (401 if number < 20 else 429)
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_limits_count_by_names_neither_session_nor_address(
    client: FlaskClient, editor: Editor, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits may be kept in a store that others read: no name in it opens or tells anything."""
    names: list[str] = []
    store: Any = limiter.storage
    acquire = store.acquire_entry

    def noted(name: str, *given: int) -> bool:
        names.append(name)
        return bool(acquire(name, *given))

    monkeypatch.setattr(store, "acquire_entry", noted)
    sign_in(client, editor)
    cookie = client.get_cookie("__Host-corrigenda", domain="localhost")
    assert cookie
    token = form_token(client)
    password = {"form_token": token, "old": "wrong", "new": "another long password"}
    client.post("/review/settings/account/password", data=password, headers=OURS)
    client.post("/login/code", data={"ticket": "none", "code": "000000"}, headers=OURS)
    assert len(set(names)) >= 4
    for name in names:
        told = [cookie.value, editor.email, "127.0.0.1"]
        tally.add(name, held=not any(each in name for each in told))
