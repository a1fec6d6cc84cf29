import base64
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service.db import Database
from service.errors import ChallengeRequired
from service.intake import challenges
from service.models import Site, SpentChallenge

SECRET = "tests"


def solved(challenge: dict[str, Any], **changes: Any) -> str:
    """What a reader's browser answers."""
    number = next(
        number
        for number in range(challenge["maxnumber"] + 1)
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest()
        == challenge["challenge"]
    )
    names = ("algorithm", "challenge", "salt", "signature")
    payload = {name: challenge[name] for name in names} | {"number": number} | changes
    return base64.b64encode(json.dumps(payload).encode()).decode()


def fresh(site: Site, now: datetime, secret: str = SECRET) -> dict[str, Any]:
    found = challenges.refusal(site, "", secret=secret, now=now).members["challenge"]
    assert isinstance(found, dict)
    return found


def spend(database: Database, site: Site, solution: str | None, now: datetime) -> str | None:
    """None where it was taken, else what is said."""
    try:
        with database.write() as session:
            challenges.spend(session, site, solution, secret=SECRET, now=now)
    except ChallengeRequired as refusal:
        return refusal.detail
    return None


def test_solution_is_taken_once(database: Database, site: Site, now: datetime) -> None:
    challenge = fresh(site, now)
    solution = solved(challenge)
    assert spend(database, site, solution, now) is None
    assert spend(database, site, solution, now) == "This solution was used before."
    with database.read() as session:
        spent = session.scalars(select(SpentChallenge)).one()
    assert (spent.signature, spent.expires_at) == (challenge["signature"], now + challenges.LIFE)


def test_two_at_once_spend_it_once(database: Database, site: Site, now: datetime) -> None:
    solution = solved(fresh(site, now))
    barrier = threading.Barrier(4)

    def go(_: int) -> str | None:
        barrier.wait()
        return spend(database, site, solution, now)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(go, range(4)))
    assert sorted(answers, key=str) == [None] + ["This solution was used before."] * 3


def test_solution_ends_with_its_challenge(database: Database, site: Site, now: datetime) -> None:
    solution = solved(fresh(site, now))
    late = "This solution does not hold, or is out of date."
    assert spend(database, site, solution, now + challenges.LIFE) == late
    assert spend(database, site, solution, now + challenges.LIFE - timedelta(seconds=1)) is None


def test_what_does_not_hold_is_refused(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    challenge = fresh(site, now)
    number = json.loads(base64.b64decode(solved(challenge)))["number"]
    later = int((now + timedelta(days=1)).timestamp())
    wrong = [
        solved(challenge, number=number + 1),
        solved(challenge, number=str(number)),
        solved(challenge, number=True),
        solved(challenge, number=10**400),
        solved(challenge, algorithm="MD5"),
        solved(challenge, salt="x"),
        solved(challenge, salt=challenge["salt"] + f"expires={later}&"),
        solved(challenge, signature="0" * 64),
        solved(fresh(other_site, now)),
        solved(fresh(site, now, "another secret")),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b"\xff{").decode(),
        base64.b64encode(b"[" * 1400).decode(),
        "not Base64!",
    ]
    late = "This solution does not hold, or is out of date."
    assert [spend(database, site, solution, now) for solution in wrong] == [late] * len(wrong)
    asked = "Solve the challenge and send it again."
    assert [spend(database, site, none, now) for none in (None, "")] == [asked] * 2


def test_challenge_says_for_whom_and_how_long(site: Site, now: datetime) -> None:
    challenge = fresh(site, now)
    assert set(challenge) == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
    assert (challenge["algorithm"], challenge["maxnumber"]) == ("SHA-256", challenges.MAX_NUMBER)
    end = int((now.astimezone(UTC) + challenges.LIFE).timestamp())
    assert challenge["salt"].partition("?")[2] == f"expires={end}&site={site.key}&"


@pytest.mark.parametrize("moments", [0, 1])
def test_challenges_differ(site: Site, now: datetime, moments: int) -> None:
    other = fresh(site, now + timedelta(seconds=moments))
    assert fresh(site, now)["salt"] != other["salt"]
