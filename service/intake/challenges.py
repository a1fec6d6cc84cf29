"""A small computation that is asked for before a doubtful report is kept (ALTCHA, version 1)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha.v1 import ChallengeOptions, create_challenge, extract_params, verify_solution

from service.db import Asking, connection_of, inserting
from service.errors import ChallengeRequired
from service.hashing import keyed
from service.models import Site, SpentChallenge

MAX_NUMBER = 50_000
"""Half as many SHA-256 on average: well under a second on a cheap phone."""
LIFE = timedelta(minutes=10)

_FIELDS = {"algorithm": str, "challenge": str, "number": int, "salt": str, "signature": str}


def refusal(site: Site, detail: str, *, secret: str, now: datetime) -> ChallengeRequired:
    """The refusal that carries a fresh challenge, good for this site and ten minutes."""
    made = create_challenge(
        ChallengeOptions(
            max_number=MAX_NUMBER,
            hmac_key=_key(secret),
            expires=now + LIFE,
            params={"site": site.key},
        )
    )
    challenge = {
        "algorithm": made.algorithm,
        "challenge": made.challenge,
        "maxnumber": made.max_number,
        "salt": made.salt,
        "signature": made.signature,
    }
    return ChallengeRequired(detail, members={"challenge": challenge})


def spend(session: Asking, site: Site, solution: str | None, *, secret: str, now: datetime) -> None:
    """Take a solution, once; raises ChallengeRequired where there is none that counts."""
    if not solution:
        raise refusal(site, "Solve the challenge and send it again.", secret=secret, now=now)
    payload = _payload(solution)
    expires_at = payload and _expires_at(site, payload, secret)
    if payload is None or expires_at is None or expires_at <= now:
        raise refusal(
            site, "This solution does not hold, or is out of date.", secret=secret, now=now
        )
    connection = connection_of(session)
    spent = connection.scalar(
        inserting(connection, SpentChallenge)
        .values(signature=payload["signature"], expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(SpentChallenge.signature)
    )
    if spent is None:
        raise refusal(site, "This solution was used before.", secret=secret, now=now)


def _payload(solution: str) -> Any:
    """The Base64 JSON object with every field of its type; None where it is not that."""
    try:
        read = json.loads(base64.b64decode(solution, validate=True))
    except (ValueError, RecursionError):
        return None
    is_whole = isinstance(read, dict) and all(
        type(read.get(name)) is kind for name, kind in _FIELDS.items()
    )
    return {name: read[name] for name in _FIELDS} if is_whole else None


def _expires_at(site: Site, payload: Any, secret: str) -> datetime | None:
    """Until when the solution holds; None where it is not one of ours, or another site's."""
    try:
        is_right, _ = verify_solution(payload, _key(secret), check_expires=False)
    except ValueError:
        return None
    said = extract_params(payload)
    if not is_right or said.get("site") != [site.key]:
        return None
    return datetime.fromtimestamp(int(said["expires"][0]), UTC)


def _key(secret: str) -> str:
    return keyed(secret, "challenge", "altcha")
