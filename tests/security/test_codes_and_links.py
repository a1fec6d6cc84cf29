"""Guessing and replaying what works once: codes of the second step, invitations, links to passwords."""

from datetime import datetime, timedelta

from service.accounts import invitations, passwords, two_step
from service.db import Database
from service.errors import NotFound, WrongCode
from service.models import Editor, Site
from tests.accounts.test_links import invite
from tests.accounts.test_two_step import check, code, turn_on
from tests.security.tally import Tally

ROW = "guessing"

STEP = timedelta(seconds=30)
"""How long a one-time code is shown, by RFC 6238."""


def is_refused(database: Database, editor: Editor, typed: str, now: datetime) -> bool:
    try:
        check(database, editor, typed, now)
    except WrongCode:
        return True
    return False


def test_codes_of_other_times_and_spellings_open_nothing(
    database: Database,
    editor: Editor,
    now: datetime,
    tally: Tally,
) -> None:
    recovery = turn_on(database, editor, now)
    later = now + timedelta(hours=2)
    right = code(database, editor, later)
    opening = {code(database, editor, later + step * STEP) for step in (-1, 0, 1)}
    steps = [step for step in range(-40, 41) if abs(step) > 1]
    guesses = [code(database, editor, later + step * STEP) for step in steps]
    guesses += [
        *("", " ", "0", "000000", "-00001", "1e5", "None", "\0" * 6, "' OR 1=1", "%", "______"),
        *(right[:5], right + "0", right[::-1] + "0", f"{right}\0", f"+{right}", f"{right}.0"),
        *(f"0{right}", f"0x{int(right):x}", "9" * 5000, right.replace(right[0], "*")),
        *(str(number) * 6 for number in range(10)),
    ]
    for typed in guesses:
        if typed not in opening:
            tally.add(("one-time", typed), held=is_refused(database, editor, typed, later))
    for at in range(len(recovery[0])):
        other = "B" if recovery[0][at] == "A" else "A"
        bent = recovery[0][:at] + other + recovery[0][at + 1 :]
        held = recovery[0][at] == "-" or is_refused(database, editor, bent, later)
        tally.add(("recovery", bent), held=held)
    for typed in (recovery[0][:-1], recovery[0] + "A", recovery[0][5:], "-" * 19, "A" * 16):
        tally.add(("recovery", typed), held=is_refused(database, editor, typed, later))
    check(database, editor, right, later)
    check(database, editor, recovery[0], later)


def test_codes_open_once(
    database: Database,
    editor: Editor,
    now: datetime,
    tally: Tally,
) -> None:
    """A later code spends the earlier ones, so that one read over a shoulder is worth nothing."""
    recovery = turn_on(database, editor, now)
    later = now + timedelta(hours=2)
    check(database, editor, code(database, editor, later + STEP), later)
    for step in (-1, 0, 1):
        typed = code(database, editor, later + step * STEP)
        tally.add(("one-time", step), held=is_refused(database, editor, typed, later))
    for number, typed in enumerate(recovery):
        check(database, editor, typed, later)
        for spelled in (typed, typed.lower(), typed.replace("-", ""), f" {typed} "):
            tally.add((number, spelled), held=is_refused(database, editor, spelled, later))
    with database.write() as session:
        renewed = two_step.renew(session, editor.id)
    for typed in recovery:
        tally.add(("renewed", typed), held=is_refused(database, editor, typed, later))
    check(database, editor, renewed[0], later)


def bent(token: str) -> list[str]:
    """The token with each of its signs changed, and other shapes of it."""
    signs = [
        token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        for at in range(len(token))
    ]
    return [
        *signs,
        *(token[:-1], token + "A", token[1:], token.swapcase(), token[::-1], f"{token}\0"),
        *(
            f" {token}",
            f"{token}%00",
            f"{token}=",
            "",
            "\0",
            "%",
            "_" * 43,
            "' OR '1'='1",
            "x" * 5000,
        ),
    ]


def test_links_are_neither_guessed_nor_used_twice_nor_late_nor_for_another_end(
    database: Database, site: Site, editor: Editor, now: datetime, tally: Tally
) -> None:
    invitation = invite(database, site, now)
    with database.write() as session:
        reset, _ = passwords.forget(session, editor.email, now=now)

    def opens(kind: str, token: str, at: datetime) -> bool:
        try:
            with database.write() as session:
                if kind == "invitation":
                    invitations.accept(session, token, name="", password_hash="none", now=at)
                else:
                    passwords.reset(session, token, "none", now=at)
        except NotFound:
            return False
        return True

    for kind, token, other in (
        ("invitation", invitation, reset),
        ("password", reset, invitation),
    ):
        for guess in [*bent(token), other]:
            tally.add((kind, guess), held=not opens(kind, guess, now))
        late = now + timedelta(days=8)
        tally.add((kind, "late"), held=not opens(kind, token, late))
        assert opens(kind, token, now)
        tally.add((kind, "again"), held=not opens(kind, token, now))
    with database.write() as session:
        first, _ = passwords.forget(session, editor.email, now=now)
        passwords.forget(session, editor.email, now=now)
    tally.add("replaced by a newer one", held=not opens("password", first, now))
