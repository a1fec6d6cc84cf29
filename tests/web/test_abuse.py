"""Blocks and challenges as a reader's page meets them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.models import Site
from tests.intake.test_challenges import solved
from tests.web.test_public import body, counts, post

LINKS = "http://a.example http://b.example"


@pytest.fixture
def careful(database: Database, site: Site) -> Site:
    """The site, asking for a challenge from 40 on."""
    with database.write() as session:
        session.get_one(Site, site.id).challenge_threshold = 40
    return site


def test_doubtful_report_is_kept_once_its_challenge_is_solved(
    client: FlaskClient, careful: Site, database: Database
) -> None:
    asked = post(client, careful, body(comment=LINKS))
    assert asked.status_code == 403
    assert asked.mimetype == "application/problem+json"
    assert asked.json["type"].endswith("/challenge-required")
    assert counts(database) == (0, 0)
    solution = solved(asked.json["challenge"])
    answer = post(client, careful, body(comment=LINKS, altcha=solution))
    assert answer.status_code == 201
    # Sent again without it, the answer having been lost: nothing is asked for twice.
    again = post(client, careful, body(comment=LINKS))
    assert (again.status_code, again.json) == (201, answer.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    spent = post(client, careful, body(comment=f"{LINKS}!", altcha=solution), key="k2")
    assert spent.status_code == 403
    assert spent.json["detail"] == "This solution was used before."
    assert spent.json["challenge"] != asked.json["challenge"]


def test_challenge_is_off_by_default_and_for_harmless_reports(
    client: FlaskClient, site: Site
) -> None:
    assert post(client, site, body(comment=LINKS, website="x")).status_code == 201


def test_harmless_report_is_asked_for_nothing(client: FlaskClient, careful: Site) -> None:
    assert post(client, careful, body()).status_code == 201


@pytest.mark.parametrize("seconds", [-1, "NaN", "x", [], {}])
def test_seconds_must_be_a_number(client: FlaskClient, site: Site, seconds: Any) -> None:
    answer = post(client, site, body(seconds=seconds))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/seconds"]
