from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.desk import moves
from service.desk.moves import By, Decision
from service.models import Category, Site, State
from tests.conftest import ORIGIN, Clock
from tests.reporting import report

NONE = {
    "decision_median": None, "decision_p90": None, "fix_median": None, "fix_p90": None,
    "title": None, "url": None,
}  # fmt: skip


def get(client: FlaskClient, headers: dict[str, str], query: str = "") -> Any:
    return client.get(f"/api/v1/stats{query}", headers=headers)


def test_figures_of_a_range(
    client: FlaskClient, database: Database, site: Site, bearer: dict[str, str], clock: Clock
) -> None:
    began = clock()
    ids = [
        report(
            database, site, began, exact=word, start=None, source=f"{ORIGIN}/city/a",
            category=Category.TYPO,
        )
        for word in ("one", "two", "two", "three")
    ]  # fmt: skip
    for correction_id, to, minutes in [(ids[0], State.FIXED, 10), (ids[1], State.REJECTED, 20)]:
        with database.write() as session:
            now = clock.advance(minutes=minutes)
            moves.decide(session, site.id, correction_id, Decision(to), by=By("tests"), now=now)
    answer = get(client, bearer, "?from=2026-03-01&to=2026-03-02").json
    line = {
        **NONE, "value": "", "reports": 4, "corrections": 3, "decided": 2, "accepted": 1,
        "rejected": 1, "fixed": 1, "accepted_share": 0.5, "decision_median": 10,
        "decision_p90": 30, "fix_median": 10, "fix_p90": 10,
    }  # fmt: skip
    assert answer["total"] == line
    assert (answer["from"], answer["to"], answer["open"]) == ("2026-03-01", "2026-03-02", 1)
    assert (answer["thanked"], answer["thanked_share"]) == (0, 0.0)
    first = {"reports": 4, "corrections": 3, "decided": 2, "fixed": 1, "open": 1}
    assert answer["days"][0] == {"day": "2026-03-01", **first}
    assert answer["days"][1] == {"day": "2026-03-02", **dict.fromkeys(first, 0), "open": 1}
    assert answer["sections"] == [{**line, "value": "city"}]
    assert answer["categories"] == [{**line, "value": "typo"}]
    assert answer["languages"] == [{**line, "value": "en"}]
    [article] = answer["articles"]
    assert article == {
        **line, "value": article["value"], "title": "The bus is late", "url": f"{ORIGIN}/city/a",
    }  # fmt: skip


def test_range_is_thirty_days_until_today_in_the_sites_zone(
    client: FlaskClient, database: Database, site: Site, bearer: dict[str, str], clock: Clock
) -> None:
    with database.write() as session:
        session.get_one(Site, site.id).time_zone = "Pacific/Auckland"
    clock.at = datetime(2026, 3, 1, 12, 0, tzinfo=clock.at.tzinfo)
    answer = get(client, bearer).json
    assert (answer["from"], answer["to"], len(answer["days"])) == ("2026-02-01", "2026-03-02", 30)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?from=yesterday", "/from"),
        ("?to=2026-02-30", "/to"),
        ("?from=2026-03-02&to=2026-03-01", "/to"),
        ("?from=1990-01-01&to=2026-03-01", "/from"),
        ("?to=0001-01-01", "/to"),
        ("?to=9999-12-31", "/to"),
    ],
)
def test_bad_range_is_refused_by_name(
    client: FlaskClient, site: Site, bearer: dict[str, str], query: str, pointer: str
) -> None:
    answer = get(client, bearer, query)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
