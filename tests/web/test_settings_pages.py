"""The settings of a site, its tokens and its log, by the pages."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import Database
from service.models import Editor, Site, Token
from tests.web.test_pages import form_token, send, sign_in
from tests.web.test_signing_in import SETTINGS, shown_once


@pytest.fixture
def admins(client: FlaskClient, admin: Editor) -> FlaskClient:
    """A browser in which an admin is signed in."""
    sign_in(client, admin)
    return client


def kept(database: Database, site: Site) -> Site:
    with database.read() as session:
        return session.get_one(Site, site.id)


FORM: dict[str, Any] = {
    "version": "1",
    "name": "The Weekly",
    "origins": "https://news.example\r\n\r\nhttps://www.news.example\r\n",
    "article_selector": "main article",
    "language": "uk",
    "time_zone": "Europe/Kyiv",
    "excerpt_limit": "300",
    "categories": ["typo", "fact"],
    "languages": ["uk", "en"],
    "reject_reasons": "Our style\r\nNot an error",
    "spam_threshold": "60",
    "challenge_threshold": "",
    "blocked_words": "casino",
    "email_retention_days": "30",
    "network_retention_days": "7",
    "privacy_url": "https://news.example/privacy",
    "contact_url": "",
    "corrections_policy_url": "https://news.example/corrections",
}


def save(client: FlaskClient, **changed: Any) -> Any:
    sent = {**FORM, **changed}
    return send(client, f"{SETTINGS}/site", **sent)


def test_settings_are_saved_and_shown(admins: FlaskClient, database: Database, site: Site) -> None:
    answer = save(admins)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{SETTINGS}/site?saved=site")
    found = kept(database, site)
    assert found.origins == ["https://news.example", "https://www.news.example"]
    assert (found.categories, found.languages) == (["typo", "fact"], ["uk", "en"])
    assert found.reject_reasons == ["Our style", "Not an error"]
    assert (found.spam_threshold, found.challenge_threshold) == (60, None)
    assert (found.email_retention_days, found.network_retention_days) == (30, 7)
    assert (found.time_zone, found.contact_url, found.version) == ("Europe/Kyiv", None, 2)
    page = admins.get(f"{SETTINGS}/site").text
    for shown in ('value="The Weekly"', ">Our style\nNot an error<", 'value="main article"'):
        assert shown in page
    assert page.count(" checked>") == 4


def test_settings_that_are_wrong_are_told_beside_their_fields_and_nothing_is_lost(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    answer = save(
        admins,
        name="",
        origins="nowhere",
        excerpt_limit="many",
        network_retention_days="31",
        privacy_url="javascript:alert(1)",
        categories=[],
        reject_reasons="Typed with care",
    )
    assert answer.status_code == 422
    wrong = re.findall(r'class="wrong" id="([a-z_]+)-wrong"', answer.text)
    assert sorted(wrong) == [
        "categories",
        "excerpt_limit",
        "name",
        "network_retention_days",
        "origins",
        "privacy_url",
    ]
    for typed in ('value="many"', ">Typed with care<", ">nowhere<", 'value="javascript:alert(1)"'):
        assert typed in answer.text
    assert (kept(database, site).name, kept(database, site).version) == ("The Daily", 1)


def test_settings_changed_meanwhile_say_by_whom_and_what(
    app: Flask, admins: FlaskClient, database: Database, site: Site
) -> None:
    assert save(admins).status_code == 303
    answer = save(admins, name="The Hourly")
    assert answer.status_code == 412
    assert "Somebody changed these settings while you did." in answer.text
    assert "admin@news.example" in answer.text
    assert "<bdi>The Weekly</bdi>" in answer.text
    assert 'value="The Hourly"' in answer.text
    assert 'name="version" value="2"' in answer.text
    assert save(admins, name="The Hourly", version="2").status_code == 303
    assert kept(database, site).name == "The Hourly"


def test_token_is_shown_once_and_opens_its_scope_until_it_is_revoked(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    answer = send(admins, f"{SETTINGS}/tokens", name="CMS", scopes="read")
    secret = shown_once(answer.text)
    bearer = {"Authorization": f"Bearer {secret}"}
    assert admins.get("/api/v1/corrections", headers=bearer).status_code == 200
    page = admins.get(f"{SETTINGS}/tokens").text
    assert (secret in page, "CMS" in page) == (False, True)
    [revoke] = re.findall(r'action="(/review/settings/tokens/[^"]+/revoke)"', page)
    assert send(admins, revoke).status_code == 303
    assert admins.get("/api/v1/corrections", headers=bearer).status_code == 401
    assert send(admins, revoke).status_code == 404


def test_token_without_a_scope_is_refused(admins: FlaskClient, database: Database) -> None:
    answer = send(admins, f"{SETTINGS}/tokens", name="CMS")
    assert (answer.status_code, 'id="scopes-wrong"' in answer.text) == (422, True)
    with database.read() as session:
        assert session.query(Token).count() == 0


def test_log_tells_what_was_done_by_the_pages(admins: FlaskClient, editor: Editor) -> None:
    send(admins, f"{SETTINGS}/tokens", name="CMS", scopes="read")
    save(admins)
    send(admins, f"{SETTINGS}/editors/{editor.id}/role", role="admin")
    page = admins.get(f"{SETTINGS}/audit").text
    done = re.findall(r"<li><div><b>([^<]+)</b> <bdi>([^<]+)</bdi>", page)
    assert done[:3] == [
        ("Role changed", editor.email),
        ("Settings changed", "the-daily"),
        ("Token made", "CMS"),
    ]
    assert "<del>The Daily</del> <ins>The Weekly</ins>" in page
    narrowed = admins.get(f"{SETTINGS}/audit?action=token.made").text
    assert re.findall(r"<li><div><b>([^<]+)</b>", narrowed) == ["Token made"]
    assert "Nothing matches." in admins.get(f"{SETTINGS}/audit?by=nobody").text
    assert admins.get(f"{SETTINGS}/audit?before=x").status_code == 422


def test_settings_lead_to_the_first_page_that_one_may_see(
    app: Flask, admins: FlaskClient, editor: Editor
) -> None:
    assert admins.get(SETTINGS).headers["Location"] == f"{SETTINGS}/site"
    client = app.test_client()
    sign_in(client, editor)
    assert client.get(SETTINGS).headers["Location"] == f"{SETTINGS}/support"
    assert f"{SETTINGS}/site" not in client.get(f"{SETTINGS}/account").text
    assert form_token(client)


def test_second_step_stands_under_the_account(admins: FlaskClient) -> None:
    page = admins.get(f"{SETTINGS}/account/second-step").text
    assert f'<a href="{SETTINGS}/account" aria-current="page">' in page


def test_editor_without_a_name_is_listed_by_the_address_once(
    admins: FlaskClient, editor: Editor
) -> None:
    def listed() -> int:
        return admins.get(f"{SETTINGS}/editors").text.count(f"<bdi>{editor.email}</bdi>")

    assert listed() == 1
