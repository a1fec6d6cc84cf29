"""A cookie after its session's end, and cookies that were never given."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from service.accounts import editors, sessions
from service.db import Database
from service.models import Editor
from tests.conftest import PASSWORD, Clock
from tests.security.tally import Tally
from tests.web.test_pages import OURS, cookie_of, form_token, sign_in

ROW = "sessions"


def ask(app: Flask, cookie: str, path: str = "/review") -> int:
    """What a browser with this cookie, and nothing else of the session, is answered."""
    return int(app.test_client(use_cookies=False).get(path, headers={"Cookie": cookie}).status_code)


def begin(app: Flask, editor: Editor, password: str = PASSWORD) -> str:
    answer = sign_in(app.test_client(), editor, password=password)
    assert answer.status_code == 303
    name = answer.headers["Set-Cookie"].partition("=")[0]
    return f"{name}={cookie_of(answer)}"


def leave(app: Flask, editor: Editor) -> str:
    client = app.test_client()
    answer = sign_in(client, editor)
    token = form_token(client)
    cookie = f"__Host-corrigenda={cookie_of(answer)}"
    assert ask(app, cookie) == 200
    left = client.post("/logout", data={"form_token": token}, headers=OURS)
    assert left.status_code == 303
    return cookie


def test_cookie_is_401_once_its_session_is_over(
    app: Flask, database: Database, editor: Editor, now: datetime, clock: Clock, tally: Tally
) -> None:
    def password(cookie: str) -> None:
        with database.write() as session:
            editors.set_password(session, editor.email, PASSWORD, now=clock())

    def disable(cookie: str) -> None:
        with database.write() as session:
            editors.disable(session, editor.email, now=clock())

    def sign_in_anew(cookie: str) -> None:
        answer = app.test_client(use_cookies=False).post(
            "/login",
            data={"email": editor.email, "password": PASSWORD},
            headers={**OURS, "Cookie": cookie},
        )
        assert answer.status_code == 303

    def idle(cookie: str) -> None:
        clock.advance(seconds=sessions.IDLE.total_seconds() + 1)

    def absolute(cookie: str) -> None:
        end = clock() + sessions.LIFETIME
        while clock() < end:
            assert ask(app, cookie) == 200
            clock.advance(hours=11)

    ends: list[Callable[[str], None]] = [password, sign_in_anew, idle, absolute, disable]
    for end in ends:
        cookie = begin(app, editor)
        assert ask(app, cookie) == 200
        end(cookie)
        for path in (
            "/review",
            "/review?state=fixed",
            "/review/01890000-0000-7000-8000-000000000000",
        ):
            tally.add((end.__name__, path), held=ask(app, cookie, path) == 401)


def test_cookie_is_401_after_logout_also_for_what_is_sent(
    app: Flask, editor: Editor, tally: Tally
) -> None:
    cookie = leave(app, editor)
    client = app.test_client(use_cookies=False)
    for method, path in (
        ("GET", "/review"),
        ("POST", "/logout"),
        ("POST", "/review/01890000-0000-7000-8000-000000000000/moves"),
        ("POST", "/review/01890000-0000-7000-8000-000000000000/changes"),
    ):
        answer = client.open(
            path,
            method=method,
            headers={**OURS, "Cookie": cookie},
            data={"to": "spam"} if method == "POST" else None,
        )
        tally.add((method, path, answer.status_code), held=answer.status_code == 401)


def test_cookie_that_was_never_given_is_nobody(app: Flask, editor: Editor, tally: Tally) -> None:
    real = begin(app, editor).partition("=")[2]
    forged = [
        "x",
        real[:-1],
        real + "=",
        real + "A",
        real.swapcase(),
        real[::-1],
        " ",
        '""',
        "null",
        "undefined",
        "0",
        "a" * 43,
        "a" * 4000,
        "' OR '1'='1",
        "%00",
        "é".encode().decode("latin-1"),
        "../../etc/passwd",
        "{}",
        "eyJhbGciOiJub25lIn0.e30.",
    ]
    for value in forged:
        status = ask(app, f"__Host-corrigenda={value}")
        tally.add((value, status), held=status in {303, 401})
    for name in (
        "corrigenda",
        "session",
        "Host-corrigenda",
        "__host-corrigenda",
        "__Secure-corrigenda",
    ):
        tally.add(name, held=ask(app, f"{name}={real}") == 303)
    assert ask(app, f"__Host-corrigenda={real}") == 200


@pytest.mark.parametrize("cookie", ["__Host-corrigenda=planted", "__Host-corrigenda="])
def test_sign_in_never_takes_over_a_token_that_was_planted(
    app: Flask, editor: Editor, tally: Tally, cookie: str
) -> None:
    answer: Any = app.test_client(use_cookies=False).post(
        "/login",
        data={"email": editor.email, "password": PASSWORD},
        headers={**OURS, "Cookie": cookie},
    )
    given = cookie_of(answer)
    tally.add(cookie, held=len(given) >= 43 and given not in cookie and ask(app, cookie) != 200)
