import csv
import io
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.desk import moves
from service.desk.moves import By, Decision
from service.desk.statistics import figures
from service.desk.statistics.figures import Range
from service.models import Category, Editor, Site, State
from tests.conftest import ORIGIN, Clock
from tests.reporting import report
from tests.web.test_pages import sign_in

HERE = "/review/stats"


@pytest.fixture
def busy(client: FlaskClient, database: Database, site: Site, editor: Editor, clock: Clock) -> str:
    """A site with three days behind it; the query of exactly these days."""
    began = clock()
    for number, word in enumerate(("one", "two", "two", "three")):
        found = report(
            database, site, began + timedelta(days=number), exact=word, start=None,
            source=f"{ORIGIN}/city/<{number % 2}>".replace("<", "").replace(">", ""),
            title="<b>A</b> title", category=Category.TYPO,
        )  # fmt: skip
    clock.advance(days=3, minutes=90)
    with database.write() as session:
        moves.decide(session, site.id, found, Decision(State.FIXED), by=By("x"), now=clock())
    sign_in(client, editor)
    return "from=2026-03-01&to=2026-03-04"


def test_page_shows_the_figures_of_the_range(client: FlaskClient, busy: str) -> None:
    page = client.get(f"{HERE}?{busy}").text
    tiles = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+?)\s*(?:<small>|</dd>)", page)
    assert [(name, value.strip()) for name, value in tiles] == [
        ("Reports", "4"), ("Corrections", "4"), ("Open at the end", "3"),
        ("Accepted share", "100%"), ("Time to first decision", "90 min"),
        ("Time to the fix", "90 min"), ("Readers thanked", "0"),
    ]  # fmt: skip
    assert "1 Mar 2026 – 4 Mar 2026" in page
    assert page.count('role="img"') == 2
    assert "&lt;b&gt;A&lt;/b&gt; title" in page
    assert '<bdi lang="en">English</bdi>' in page


def test_plot_says_its_gist_and_each_day(client: FlaskClient, busy: str) -> None:
    page = client.get(f"{HERE}?{busy}").text
    titles = re.findall(r"<title>([^<]+)</title>", page)[1:]
    assert titles[0] == ("Reports that arrived: at most 1, 1 Mar 2026. The table of days says all.")
    assert titles[1:5] == [f"{day} Mar 2026: 1" for day in range(1, 5)]
    assert titles[6:] == [f"{day} Mar 2026: {number}" for day, number in enumerate((1, 2, 3, 3), 1)]


def test_long_range_draws_several_days_in_one_mark(client: FlaskClient, busy: str) -> None:
    page = client.get(f"{HERE}?from=2025-03-06&to=2026-03-05").text
    titles = re.findall(r"<title>([^<]+)</title>", page)[1:]
    assert len(titles) == 2 * (92 + 1)
    assert titles[92] == "5 Mar 2026: 0"
    assert titles[91] == "1 Mar 2026 – 4 Mar 2026: 4"


def test_empty_range_says_so(client: FlaskClient, site: Site, editor: Editor) -> None:
    sign_in(client, editor)
    page = client.get(HERE).text
    assert "Nothing arrived in this time." in page
    assert 'role="img"' not in page


@pytest.mark.parametrize(
    ("query", "field", "wrong"),
    [
        ("from=x", "from", "Not a valid date."),
        ("from=2026-03-02&to=2026-03-01", "to", "The range ends before it begins."),
        ("from=2001-03-02&to=2026-03-01", "from", "A range has at most ten years."),
    ],
)
def test_range_that_is_none_is_told_beside_the_newest_days(
    client: FlaskClient, busy: str, query: str, field: str, wrong: str
) -> None:
    page = client.get(f"{HERE}?{query}")
    assert page.status_code == 422
    assert f'<p class="refusal" id="{field}-wrong">{wrong}</p>' in page.text
    [given] = re.findall(rf'name="{field}" value="([^"]*)" required aria-invalid', page.text)
    assert f"{field}={given}" in query
    assert page.text.count("autofocus") == 1
    assert "Reports that arrived" in page.text
    assert client.get(f"{HERE}.csv?table=days&{query}").status_code == 422


@pytest.mark.parametrize("table", ["days", "sections", "categories", "languages", "articles"])
def test_csv_has_what_the_figures_have(
    client: FlaskClient, database: Database, site: Site, busy: str, table: str
) -> None:
    answer = client.get(f"{HERE}.csv?table={table}&{busy}")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    with database.read_one_moment() as session:
        asked = Range(*(figures.date(2026, 3, day) for day in (1, 4)))
        expected = getattr(figures.read(session, site, asked), table)
    assert [row["reports"] for row in rows] == [str(line.reports) for line in expected]
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{table}-2026-03-01-2026-03-04.csv"'
    )


def test_csv_of_no_table_is_refused(client: FlaskClient, busy: str) -> None:
    assert client.get(f"{HERE}.csv?table=people&{busy}").status_code == 422
