"""The second step of signing in: one-time codes (TOTP, RFC 6238) and recovery codes.

The database holds a seed; the secret is derived from it by the service's own key, so that a copy
of the database alone makes no codes.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.errors import WrongCode
from service.hashing import fingerprint
from service.models import Editor, RecoveryCode

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1
"""So many steps a clock may be off, either way."""

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 bits: sixteen characters of base 32."""


def secret_of(key: str, seed: str) -> bytes:
    """The 160 bits that an authenticator shares with the service."""
    return hmac.digest(key.encode(), f"two-step\0{seed}".encode(), "sha1")


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_at(now: datetime) -> int:
    """The time step of an instant."""
    return int(now.timestamp()) // STEP_SECONDS


def as_text(secret: bytes) -> str:
    """The secret in base 32, as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, email: str) -> str:
    """What the picture holds: an `otpauth` address (Google's Key URI Format)."""
    query = urlencode({"secret": as_text(secret), "issuer": "Corrigenda"})
    return f"otpauth://totp/{quote(f'Corrigenda:{email}')}?{query}"


def begin(session: Session, editor_id: UUID | None) -> None:
    """Give an editor without a second step a new seed, to be confirmed by a code."""
    session.execute(
        update(Editor)
        .where(Editor.id == editor_id, Editor.two_step_since.is_(None))
        .values(two_step_seed=secrets.token_urlsafe(24))
    )


def confirm(
    session: Session, key: str, editor_id: UUID | None, code: str, *, now: datetime
) -> list[str]:
    """Turn the second step on by a first code; gives the recovery codes, this once.

    Raises WrongCode.
    """
    editor = session.get_one(Editor, editor_id)
    _spend_code(session, key, editor, code, now)
    session.execute(
        update(Editor)
        .where(Editor.id == editor.id, Editor.two_step_since.is_(None))
        .values(two_step_since=now)
    )
    return renew(session, editor.id)


def check(session: Session, key: str, editor: Editor, code: str, *, now: datetime) -> None:
    """Accept a one-time or a recovery code, and spend it; raises WrongCode."""
    typed = "".join(code.split()).replace("-", "").upper()
    if len(typed) == DIGITS and typed.isdecimal():
        _spend_code(session, key, editor, typed, now)
    else:
        _spend_recovery(session, editor, typed, now)


def turn_off(session: Session, editor_id: UUID | None) -> None:
    """Sign in without a second step from now on."""
    session.execute(
        update(Editor)
        .where(Editor.id == editor_id)
        .values(two_step_seed=None, two_step_since=None, two_step_spent=None)
    )
    session.execute(delete(RecoveryCode).where(RecoveryCode.editor_id == editor_id))


def renew(session: Session, editor_id: UUID) -> list[str]:
    """Ten new recovery codes in place of the old ones, given this once."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.editor_id == editor_id))
    made = [
        base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(RecoveryCode(editor_id=editor_id, code_hash=fingerprint(code)) for code in made)
    session.flush()
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in made]


def left(session: Session, editor_id: UUID | None) -> int:
    """How many recovery codes are not spent."""
    unspent = (RecoveryCode.editor_id == editor_id, RecoveryCode.spent_at.is_(None))
    return session.scalar(select(func.count()).where(*unspent)) or 0


def _spend_code(session: Session, key: str, editor: Editor, code: str, now: datetime) -> None:
    secret = secret_of(key, editor.two_step_seed or "")
    current = step_at(now)
    steps = [
        step
        for step in range(current - DRIFT, current + DRIFT + 1)
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode())
    ]
    spent = (
        editor.two_step_seed
        and steps
        and session.scalar(
            update(Editor)
            .where(
                Editor.id == editor.id,
                func.coalesce(Editor.two_step_spent, 0) < steps[0],
            )
            .values(two_step_spent=steps[0])
            .returning(Editor.id)
        )
    )
    if not spent:
        raise WrongCode("This code is wrong or was used already. Wait for the next one.")


def _spend_recovery(session: Session, editor: Editor, code: str, now: datetime) -> None:
    spent = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.editor_id == editor.id,
            RecoveryCode.code_hash == fingerprint(code),
            RecoveryCode.spent_at.is_(None),
        )
        .values(spent_at=now)
        .returning(RecoveryCode.id)
    )
    if spent is None:
        raise WrongCode("This code is wrong or was used already. Wait for the next one.")
