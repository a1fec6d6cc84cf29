from datetime import datetime

from flask.testing import FlaskClient

from service.db import Database
from service.models import Editor, Site
from tests.conftest import ORIGIN
from tests.reporting import report
from tests.web.test_pages import sign_in

HERE = "/review/articles"


def test_articles_lead_to_their_corrections(
    client: FlaskClient, database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    report(
        database, site, now, title="<i>Buses</i>", source=f"{ORIGIN}/a?b=c d&e".replace(" ", "_")
    )
    sign_in(client, editor)
    page = client.get(HERE).text
    assert "&lt;i&gt;Buses&lt;/i&gt;" in page
    assert 'href="/review?article=https%3A//news.example/a%3Fb%3Dc_d%26e"' in page
    assert f'href="{HERE}" aria-current="page"' in page


def test_address_of_an_article_without_a_title_is_read_and_found_in_letters(
    client: FlaskClient, database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    report(database, site, now, title=None, source=f"{ORIGIN}/%d1%82ема")
    sign_in(client, editor)
    page = client.get(f"{HERE}?q=тем").text
    assert f"<bdi>{ORIGIN}/тема</bdi>" in page
    assert 'href="/review?article=https%3A//news.example/%25D1%2582%25D0%25B5' in page


def test_empty_lists_say_what_to_do(client: FlaskClient, site: Site, editor: Editor) -> None:
    sign_in(client, editor)
    assert "Everything is decided." in client.get(HERE).text
    assert "No article is known yet." in client.get(f"{HERE}?state=all").text
    assert "Try fewer words" in client.get(f"{HERE}?q=nothing").text
    assert client.get(f"{HERE}?state=some").status_code == 422
