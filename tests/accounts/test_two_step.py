from datetime import UTC, datetime, timedelta

import pytest

from service.accounts import two_step
from service.db import Database
from service.errors import WrongCode
from service.models import Editor
from tests.racing import at_once

KEY = "a secret for tests"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_code_is_that_of_rfc_6238_appendix_b(second: int, code: str) -> None:
    step = two_step.step_at(datetime.fromtimestamp(second, UTC))
    assert two_step.code_at(b"12345678901234567890", step) == code


def secret(database: Database, editor: Editor) -> bytes:
    with database.read() as session:
        seed = session.get_one(Editor, editor.id).two_step_seed
    assert seed
    return two_step.secret_of(KEY, seed)


def code(database: Database, editor: Editor, at: datetime) -> str:
    return two_step.code_at(secret(database, editor), two_step.step_at(at))


def turn_on(database: Database, editor: Editor, now: datetime) -> list[str]:
    """Ask for the second step from now on; the recovery codes."""
    with database.write() as session:
        two_step.begin(session, editor.id)
    with database.write() as session:
        return two_step.confirm(session, KEY, editor.id, code(database, editor, now), now=now)


@pytest.fixture
def recovery(database: Database, editor: Editor, now: datetime) -> list[str]:
    """The recovery codes of an editor whose second step is on."""
    return turn_on(database, editor, now)


def check(database: Database, editor: Editor, typed: str, now: datetime) -> None:
    with database.write() as session:
        two_step.check(session, KEY, session.get_one(Editor, editor.id), typed, now=now)


def test_second_step_is_on_only_after_a_right_code(
    database: Database, editor: Editor, now: datetime
) -> None:
    with database.write() as session:
        two_step.begin(session, editor.id)
    with pytest.raises(WrongCode), database.write() as session:
        two_step.confirm(session, KEY, editor.id, "000000", now=now)
    with database.read() as session:
        assert session.get_one(Editor, editor.id).two_step_since is None
    with database.write() as session:
        codes = two_step.confirm(session, KEY, editor.id, code(database, editor, now), now=now)
    assert len(set(codes)) == 10
    with database.read() as session:
        assert session.get_one(Editor, editor.id).two_step_since == now


def test_code_fits_one_step_either_way_and_no_further(
    database: Database, editor: Editor, recovery: list[str], now: datetime
) -> None:
    later = now + timedelta(minutes=10)
    for steps in (-2, 2):
        with pytest.raises(WrongCode):
            check(
                database,
                editor,
                code(database, editor, later + timedelta(seconds=30 * steps)),
                later,
            )
    for steps in (-1, 0, 1):
        check(
            database, editor, code(database, editor, later + timedelta(seconds=30 * steps)), later
        )


def test_code_is_spent_once_also_by_two_at_once_and_none_before_it_afterwards(
    database: Database, editor: Editor, recovery: list[str], now: datetime
) -> None:
    later = now + timedelta(minutes=10)
    typed = code(database, editor, later)
    results = at_once(lambda: check(database, editor, typed, later))
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "WrongCode"]
    with pytest.raises(WrongCode):
        check(database, editor, code(database, editor, later - timedelta(seconds=30)), later)


def test_recovery_code_is_spent_once_also_by_two_at_once(
    database: Database, editor: Editor, recovery: list[str], now: datetime
) -> None:
    results = at_once(lambda: check(database, editor, f" {recovery[3].lower()} ", now))
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "WrongCode"]
    with database.read() as session:
        assert two_step.left(session, editor.id) == 9


def test_recovery_codes_that_were_renewed_or_turned_off_work_no_more(
    database: Database, editor: Editor, recovery: list[str], now: datetime
) -> None:
    with database.write() as session:
        renewed = two_step.renew(session, editor.id)
    with pytest.raises(WrongCode):
        check(database, editor, recovery[0], now)
    with database.write() as session:
        two_step.turn_off(session, editor.id)
    for typed in (renewed[0], "123456", ""):
        with pytest.raises(WrongCode):
            check(database, editor, typed, now)


def test_database_holds_neither_secret_nor_codes(
    database: Database, editor: Editor, recovery: list[str], now: datetime
) -> None:
    from tests.security.test_another_site import state

    kept = str(state(database))
    assert editor.email in kept
    for hidden in (two_step.as_text(secret(database, editor)), *recovery):
        assert hidden not in kept
        assert hidden.replace("-", "") not in kept


def test_address_is_what_authenticators_read() -> None:
    assert two_step.address(b"12345678901234567890", "editor@news.example") == (
        "otpauth://totp/Corrigenda%3Aeditor%40news.example"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Corrigenda"
    )
