import csv
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.models import Campaign, CountKind, Editor, Place, Site, SupportCount
from service.support import campaigns
from tests.support.conftest import asking, variant
from tests.web.test_pages import sign_in

HOME = "/review/stats/support"
FIRST = date(2026, 2, 10)

Count = Callable[..., None]


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    sign_in(client, editor)
    return client


@pytest.fixture
def count(database: Database, site: Site, now: Any) -> Count:
    """A campaign with two variants, and what was counted of them."""
    with database.write() as session:
        wanted = asking(variants=[variant("a"), variant("b")])
        kept: Campaign = campaigns.put(
            session, site.id, "autumn", wanted, by="admin@news.example", now=now
        )

    def add(key: str, views: int, clicks: int, day: date = FIRST) -> None:
        with database.write() as session:
            for kind, total in ((CountKind.VIEW, views), (CountKind.CLICK, clicks)):
                session.add(
                    SupportCount(
                        campaign_id=kept.id,
                        day=day,
                        variant=key,
                        place=Place.BLOCK,
                        kind=kind,
                        total=total,
                    )
                )

    return add


def test_without_a_campaign_there_is_nothing_to_show(desk: FlaskClient) -> None:
    assert "There is no campaign yet, so nothing was counted." in desk.get(HOME).text
    assert desk.get(f"{HOME}.csv").status_code == 404
    assert desk.get(f"{HOME}?campaign=winter").status_code == 404


def test_running_campaign_is_shown_before_a_newer_planned_one(
    desk: FlaskClient, count: Count, database: Database, site: Site, now: datetime
) -> None:
    count("a", 40, 10)
    with database.write() as session:
        planned = asking(name="Winter", starts_at=now + timedelta(days=9), places=[Place.BAR])
        campaigns.put(session, site.id, "winter", planned, by="admin@news.example", now=now)
    assert '<option value="autumn" selected>' in desk.get(HOME).text


def test_campaign_without_counts_says_so(desk: FlaskClient, count: Count) -> None:
    page = desk.get(HOME).text
    assert "Nothing was counted in these days." in page
    assert "Too little to tell" in page
    assert "<svg" not in page


def test_variants_are_compared_with_their_limits(desk: FlaskClient, count: Count) -> None:
    count("a", 1000, 20)
    count("b", 1000, 60)
    page = desk.get(HOME).text
    assert "2.0 %" in page
    assert "1.3 to 3.1 %" in page
    assert "Better, 2.3 to 5.8 %" in page
    assert "Too little to tell" not in page


def test_numbers_are_written_as_the_editor_writes_them(desk: FlaskClient, count: Count) -> None:
    count("a", 12_000, 250)
    page = desk.get(HOME, headers={"Accept-Language": "uk"}).text
    assert "<td>12\N{NO-BREAK SPACE}000</td>" in page
    assert "<td>2,1 %</td>" in page


def test_little_is_called_too_little(desk: FlaskClient, count: Count) -> None:
    count("a", 1000, 20)
    count("b", 30, 9)
    page = desk.get(HOME).text
    assert "Too little to tell" in page
    assert "from 10 clicks" in page


def test_days_are_plotted_and_stand_in_a_table(desk: FlaskClient, count: Count) -> None:
    count("a", 40, 10)
    count("a", 80, 20, FIRST + timedelta(days=2))
    page = desk.get(f"{HOME}?from=2026-02-09&to=2026-02-18").text
    assert 'viewBox="0 0 10 80"' in page
    assert '<rect class="view" x="1.1" y="40.0" width="0.8" height="40.0">' in page
    assert '<rect class="click" x="3.1" y="0.0" width="0.8" height="80.0">' in page
    assert '<th scope="row"><time datetime="2026-02-12">2026-02-12</time></th><td>80</td>' in page
    assert "2026-02-10" not in desk.get(f"{HOME}?from=2026-02-11&to=2026-02-18").text


def test_counts_come_as_csv(desk: FlaskClient, count: Count) -> None:
    count("b", 3, 1)
    answer = desk.get(f"{HOME}.csv?campaign=autumn")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(answer.text.splitlines())) == [
        ["day", "variant", "place", "kind", "total"],
        ["2026-02-10", "b", "block", "click", "1"],
        ["2026-02-10", "b", "block", "view", "3"],
    ]


def test_days_out_of_order_are_refused(desk: FlaskClient, count: Count) -> None:
    assert desk.get(f"{HOME}?from=2026-02-11&to=2026-02-10").status_code == 422
    assert desk.get(f"{HOME}?from=soon").status_code == 422


def test_results_of_another_site_are_not_found(
    desk: FlaskClient, database: Database, other_site: Site, now: Any
) -> None:
    with database.write() as session:
        campaigns.put(session, other_site.id, "theirs", asking(), by="admin@news.example", now=now)
    assert desk.get(f"{HOME}?campaign=theirs").status_code == 404
    assert "theirs" not in desk.get(HOME).text
