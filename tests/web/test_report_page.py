import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from service.app import create_app
from service.db import Database
from service.models import Article, Category, Event, Report, Site
from service.settings import Settings
from tests.conftest import ORIGIN, Clock
from tests.web.test_public import body, post

OURS = {"Sec-Fetch-Site": "same-origin"}
PAGE = f"{ORIGIN}/a?utm_source=x"


def form(client: FlaskClient, site: Site, **query: str) -> Any:
    return client.get(f"/report/{site.key}", query_string={"url": PAGE, **query})


def key_of(page: Any) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page.text)
    assert found
    return found[1]


def send(client: FlaskClient, site: Site, headers: dict[str, str] = OURS, **fields: str) -> Any:
    sent = {
        "url": PAGE,
        "key": "k1",
        "locale": "en",
        "comment": "The map is upside down.",
        **fields,
    }
    return client.post(f"/report/{site.key}", data=sent, headers=headers)


def sent_to(client: FlaskClient, site: Site, **fields: str) -> Any:
    """The page that a sent form leads to."""
    answer = send(client, site, **fields)
    assert answer.status_code == 303
    return client.get(answer.location)


def kept(database: Database) -> list[Report]:
    with database.read() as session:
        return list(session.scalars(select(Report).order_by(Report.created_at)))


def values(page: Any) -> dict[str, str]:
    """What stands in the form's fields."""
    found = {
        unescape(name): unescape(value)
        for name, value in re.findall(
            r'<input type="\w+" name="(\w+)"[^>]*? value="([^"]*)"', page.text
        )
    }
    comment = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", page.text, re.DOTALL)
    chosen = re.search(r'<option value="(\w*)" selected', page.text)
    assert comment
    return {**found, "comment": unescape(comment[1]), "category": chosen[1] if chosen else ""}


def errors(page: Any) -> dict[str, str]:
    return {
        name: unescape(text)
        for name, text in re.findall(r'<p class="refusal" id="(\w+)-error">([^<]*)</p>', page.text)
    }


def test_form_names_the_page_and_has_a_new_key_each_time(client: FlaskClient, site: Site) -> None:
    page, again = form(client, site), form(client, site)
    assert page.status_code == 200
    assert f'<a href="{ORIGIN}/a" rel="noopener">' in page.text
    assert values(page)["url"] == PAGE
    assert key_of(page) != key_of(again)
    assert page.headers["Cache-Control"] == "no-store"
    assert '<meta name="robots" content="noindex">' in page.text


def test_form_without_a_page_asks_for_it(client: FlaskClient, site: Site) -> None:
    page = client.get(f"/report/{site.key}")
    assert '<label for="url">Address of the page</label>' in page.text
    assert errors(page) == {}


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/a", "javascript:alert(1)", "a", f"{ORIGIN}.evil.example/"],
)
def test_form_about_a_page_of_others_asks_for_another(
    client: FlaskClient, site: Site, address: str
) -> None:
    page = form(client, site, url=address)
    assert errors(page) == {"url": f"This is not the address of a page of {site.name}."}
    assert values(page)["url"] == address
    assert f'href="{address}' not in page.text


def test_form_of_an_unknown_site_is_not_there(client: FlaskClient) -> None:
    assert client.get("/report/nobody").status_code == 404


@pytest.mark.parametrize(
    ("query", "accepted", "lang", "direction", "title"),
    [
        ({"locale": "uk"}, "de", "uk", "ltr", "Написати редакції"),
        ({}, "ar, en;q=0.5", "ar", "rtl", "مراسلة هيئة التحرير"),
        ({}, "tlh", "en", "ltr", "Write to the editors"),
    ],
)
def test_form_speaks_the_readers_language(
    client: FlaskClient,
    site: Site,
    query: dict[str, str],
    accepted: str,
    lang: str,
    direction: str,
    title: str,
) -> None:
    page = client.get(
        f"/report/{site.key}", query_string=query, headers={"Accept-Language": accepted}
    )
    assert f'<html lang="{lang}" dir="{direction}">' in page.text
    assert f"<h1>{title}</h1>" in page.text


def test_message_is_kept_and_its_receipt_linked(
    client: FlaskClient, database: Database, site: Site
) -> None:
    answer = sent_to(client, site, category="fact", email="reader@example.org")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    [report] = kept(database)
    assert (report.comment, report.category, report.email, report.exact, report.suspected) == (
        "The map is upside down.",
        Category.FACT,
        "reader@example.org",
        None,
        False,
    )
    with database.read() as session:
        assert session.scalars(select(Article.url)).all() == [f"{ORIGIN}/a"]
    found = re.search(r'href="(/r/[^"]+)">See what becomes of it', answer.text)
    assert found
    assert client.get(found[1]).status_code == 200
    assert f'<a href="{ORIGIN}/a" rel="noopener">Back to the article</a>' in answer.text


def test_message_sent_twice_is_one_report_and_changed_is_another(
    client: FlaskClient, database: Database, site: Site
) -> None:
    first, again = send(client, site), send(client, site)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    assert send(client, site, comment="And the scale is wrong.").status_code == 303
    assert send(client, site, key="k2").status_code == 303
    assert len(kept(database)) == 3


def test_thanks_are_loaded_again_without_sending_again(
    client: FlaskClient, database: Database, site: Site
) -> None:
    address = send(client, site, locale="uk").location
    page, again = client.get(address), client.get(address)
    assert page.text == again.text
    assert '<html lang="uk" dir="ltr">' in page.text
    assert len(kept(database)) == 1


def test_thanks_of_another_site_or_of_nobody_are_not_there(
    client: FlaskClient, site: Site, other_site: Site
) -> None:
    address = send(client, site).location.partition("?")[0]
    assert client.get(address).status_code == 200
    assert client.get(address.replace(site.key, other_site.key)).status_code == 404
    assert client.get(f"/report/{site.key}/sent/nothing").status_code == 404


def test_trap_suspects(client: FlaskClient, database: Database, site: Site) -> None:
    assert send(client, site, website="https://pills.example").status_code == 303
    assert [report.suspected for report in kept(database)] == [True]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"comment": " \n "}, {"comment": "Please write something."}),
        ({"comment": "é" * 2003}, {"comment": "Too long: please take off 3 characters."}),
        ({"email": "nobody"}, {"email": "This is not an e-mail address."}),
        ({"email": f"{'a' * 250}@b.example"}, {"email": "Too long: please take off 6 characters."}),
        (
            {"url": "https://elsewhere.example/a"},
            {"url": "This is not the address of a page of The Daily."},
        ),
        (
            {"url": "", "comment": "", "email": "x"},
            {
                "url": "This is not the address of a page of The Daily.",
                "comment": "Please write something.",
                "email": "This is not an e-mail address.",
            },
        ),
        ({"comment": "nul \0"}, {"comment": "Has a character that cannot be stored."}),
    ],
)
def test_refused_form_says_what_is_wrong_and_loses_nothing(
    client: FlaskClient,
    database: Database,
    site: Site,
    fields: dict[str, str],
    wrong: dict[str, str],
) -> None:
    written = {"email": "reader@example.org", "category": "fact", **fields}
    answer = send(client, site, **written)
    assert answer.status_code == 422
    assert errors(answer) == wrong
    for name, value in {
        "key": "k1",
        "url": PAGE,
        "comment": "The map is upside down.",
        **written,
    }.items():
        assert values(answer)[name] == value, name
    for name in wrong:
        assert f'aria-describedby="{name}-error' in answer.text
    assert kept(database) == []


def test_form_in_another_language_is_refused_in_it(client: FlaskClient, site: Site) -> None:
    answer = send(client, site, locale="uk", comment="")
    assert errors(answer) == {"comment": "Напишіть щось, будь ласка."}
    assert '<html lang="uk"' in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN},
    ],
)
def test_form_sent_from_another_site_is_refused(
    client: FlaskClient, database: Database, site: Site, headers: dict[str, str]
) -> None:
    assert send(client, site, headers=headers).status_code == 403
    assert kept(database) == []


def test_database_is_not_written_by_looking(
    client: FlaskClient, database: Database, site: Site
) -> None:
    form(client, site)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == 0


def test_limit_counts_forms_and_the_widgets_reports_together(
    settings: Settings, database: Database, clock: Clock, site: Site
) -> None:
    tight = replace(settings, report_limits="2/minute", public_url="https://localhost")
    client = create_app(tight, database, clock=clock).test_client()
    assert post(client, site, body()).status_code == 201
    assert send(client, site).status_code == 303
    refused = send(client, site, key="k2", comment="One more.")
    assert refused.status_code == 429
    assert values(refused)["comment"] == "One more."
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "too many reports just now. Your text is kept" in refused.text
    assert post(client, site, body(), key="k3").status_code == 429


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_form_is_given_back_where_the_database_refuses(
    client: FlaskClient, database: Database, site: Site
) -> None:
    with database.write() as session:
        session.execute(text(f"DROP TABLE {Event.__tablename__}"))
    answer = send(client, site)
    assert answer.status_code == 503
    assert "the service has a fault just now" in answer.text
    assert values(answer)["comment"] == "The map is upside down."
