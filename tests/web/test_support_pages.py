import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.db import Database
from service.models import Campaign, Editor, Site, SupportLines
from service.support import campaigns
from tests.support.conftest import asking, text, variant
from tests.web.test_pages import OURS, form_token, sign_in

HOME = "/review/settings/support"


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    sign_in(client, editor)
    return client


def form(**changed: Any) -> dict[str, Any]:
    at = "variants/0"
    return {
        "name": "Autumn",
        "enabled": "on",
        "places": ["block", "bar"],
        "after_articles": "3",
        "max_views": "5",
        "period_days": "30",
        "quiet_days": "30",
        f"{at}/key": "a",
        f"{at}/weight": "1",
        f"{at}/texts/en/title": "Keep us independent",
        f"{at}/texts/en/text": "Readers pay for this newsroom.",
        f"{at}/texts/en/ways": "Become a patron | https://news.example/patrons\n"
        "Other ways | https://news.example/ways",
        **{name.replace("__", "/"): value for name, value in changed.items()},
    }


def send(desk: FlaskClient, path: str, sent: dict[str, Any]) -> Any:
    return desk.post(path, data={"form_token": form_token(desk), **sent}, headers=OURS)


def kept(database: Database) -> list[Campaign]:
    with database.read() as session:
        return list(session.scalars(select(Campaign).order_by(Campaign.id)))


def wrong(page: str, name: str) -> str:
    found = re.search(rf'id="{re.escape(name)}-wrong">([^<]*)<', page)
    return unescape(found[1]) if found else ""


def test_empty_page_says_what_a_campaign_is(desk: FlaskClient) -> None:
    page = desk.get(HOME).text
    assert "There is no campaign yet." in page
    assert f'action="{HOME}/new"' in page
    assert "<svg" not in page


def test_new_campaign_is_kept_and_listed(desk: FlaskClient, database: Database) -> None:
    sent = form(
        starts_at="2026-03-01T10:00",
        ends_at="2026-04-01T00:00",
        sections="Sport, Culture",
        link_parameters="utm_medium={place}",
    )
    answer = send(desk, f"{HOME}/new", sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HOME}?saved=autumn")
    [campaign] = kept(database)
    assert (campaign.key, campaign.places, campaign.sections) == (
        "autumn",
        ["block", "bar"],
        ["sport", "culture"],
    )
    assert f"{campaign.starts_at:%Y-%m-%d %H:%M}" == "2026-03-01 10:00"
    assert campaign.variants[0]["texts"]["en"]["ways"] == [
        {"label": "Become a patron", "url": "https://news.example/patrons"},
        {"label": "Other ways", "url": "https://news.example/ways"},
    ]
    page = desk.get(f"{HOME}?saved=autumn").text
    assert "Saved." in page
    assert re.search(r'<text [^>]*>Autumn</text>\s*<rect class="running" x="[\d.]+%" y="22"', page)
    assert re.search(r'<line x1="([\d.]+)%" x2="\1%"', page)
    assert '<span class="status running">running</span>' in page


def test_times_are_by_the_sites_clock(desk: FlaskClient, database: Database, site: Site) -> None:
    with database.write() as session:
        session.get_one(Site, site.id).time_zone = "Europe/Kyiv"
    send(desk, f"{HOME}/new", form(starts_at="2026-07-01T10:00"))
    [campaign] = kept(database)
    assert f"{campaign.starts_at:%H:%M}" == "07:00"
    assert 'value="2026-07-01T10:00"' in desk.get(f"{HOME}/autumn").text


def test_faults_stand_at_their_fields_and_nothing_typed_is_lost(
    desk: FlaskClient, database: Database
) -> None:
    sent = form(
        ends_at="soon",
        after_articles="many",
        variants__0__texts__en__title="",
        variants__0__texts__en__ways="Good | https://news.example/\nBad | javascript:alert(1)",
    )
    answer = send(desk, f"{HOME}/new", sent)
    assert answer.status_code == 422
    assert kept(database) == []
    page = answer.text
    assert wrong(page, "ends_at") == "Not a valid datetime."
    assert wrong(page, "after_articles") == "Not a valid integer."
    assert 'value="many"' in page
    assert "Bad | javascript:alert(1)" in page
    domain = send(desk, f"{HOME}/new", {**sent, "ends_at": "", "after_articles": "0"}).text
    assert wrong(domain, "variants/0/texts/en/title") == "This must not be empty."
    assert (
        wrong(domain, "variants/0/texts/en/ways") == "Line 2: This is not an http or https address."
    )


def test_campaign_that_overlaps_is_told_with_the_others_name(
    desk: FlaskClient, database: Database
) -> None:
    send(desk, f"{HOME}/new", form())
    answer = send(desk, f"{HOME}/new", form(name="Winter"))
    assert answer.status_code == 422
    assert wrong(answer.text, "places") == (
        "The campaign 'Autumn' wants the same place at the same time."
    )
    assert [campaign.name for campaign in kept(database)] == ["Autumn"]


def test_another_variant_is_added_without_keeping_anything(
    desk: FlaskClient, database: Database
) -> None:
    answer = send(desk, f"{HOME}/new", form(add="variant"))
    assert answer.status_code == 200
    assert 'name="variants/1/key" value="b"' in answer.text
    assert "Keep us independent" in answer.text
    assert kept(database) == []


def test_there_are_no_more_variants_than_a_campaign_may_have(desk: FlaskClient) -> None:
    letters = {f"variants/{n}/key": chr(ord("a") + n) for n in range(26)}
    many = send(desk, f"{HOME}/new", form(add="variant", **letters))
    assert (many.status_code, 'name="variants/11/key"' in many.text) == (200, False)
    whole = {name: value for name, value in letters.items() if int(name.split("/")[1]) < 10}
    full = send(desk, f"{HOME}/new", form(add="variant", **whole))
    assert 'name="variants/9/key" value="j"' in full.text
    assert 'name="variants/10/key"' not in full.text


def test_fields_that_no_campaign_has_are_left_out(desk: FlaskClient) -> None:
    locales = {f"variants/0/texts/x-{n}/title": "Title" for n in range(500)}
    answer = send(desk, f"{HOME}/new", form(preview="1", **{"a/texts/b": "c"}, **locales))
    assert answer.status_code == 200
    assert answer.text.count('/title"') < 500


def test_preview_shows_what_is_typed_and_keeps_nothing(
    desk: FlaskClient, database: Database
) -> None:
    ways = "Become <b>a patron</b> | https://news.example/patrons\nBad | javascript:alert(1)"
    sent = form(
        preview="on",
        shown="0/en",
        ends_at="soon",
        image_url="https://news.example/a.png",
        variants__0__texts__en__title="As typed",
        variants__0__texts__en__ways=ways,
        variants__0__texts__uk__title="",
    )
    answer = send(desk, f"{HOME}/new", sent)
    assert answer.status_code == 200
    assert kept(database) == []
    frames = re.findall(r'data-look="(\w+)" inert>(.*?)</div></figure>', answer.text, re.DOTALL)
    assert [look for look, _ in frames] == ["light", "dark", "phone", "rtl"]
    for look, frame in frames:
        assert f'dir="{"rtl" if look == "rtl" else "ltr"}"' in frame
        assert ">As typed</h2>" in frame
        assert "Become &lt;b&gt;a patron&lt;/b&gt;" in frame
        assert "javascript" not in frame
        assert 'src="data:image/svg+xml,' in frame
    # A language without a text of its own shows the site's, as it will to readers.
    other = send(desk, f"{HOME}/new", {**sent, "shown": "0/uk"}).text
    assert '<option value="0/uk" selected>a · uk</option>' in other
    assert ">Я вже підтримую</button>" in other
    assert other.count(">As typed</h2>") == 4


def test_preview_of_nothing_says_what_to_write(desk: FlaskClient) -> None:
    page = desk.get(f"{HOME}/new").text
    assert '<p class="none">Write a title, a text and a way to support' in page
    assert page.count("inert hidden></div>") == 4
    assert send(desk, f"{HOME}/new", {"preview": "on"}).status_code == 200


def test_second_editor_is_told_what_differs_and_may_save_again(
    desk: FlaskClient, database: Database
) -> None:
    send(desk, f"{HOME}/new", form())
    mine = form(version="1", name="Late autumn", quiet_days="7", sections="", tags="")
    send(desk, f"{HOME}/autumn", form(version="1", max_views="9"))
    answer = send(desk, f"{HOME}/autumn", mine)
    assert answer.status_code == 412
    assert "it differs in: name, max_views, quiet_days" in unescape(answer.text)
    assert 'value="Late autumn"' in answer.text
    assert kept(database)[0].name == "Autumn"
    again = re.search(r'name="version" value="(\d+)"', answer.text)
    assert again is not None
    assert send(desk, f"{HOME}/autumn", {**mine, "version": again[1]}).status_code == 303
    assert (kept(database)[0].name, kept(database)[0].version) == ("Late autumn", 3)


def test_texts_in_languages_that_the_site_does_not_name_stay(
    desk: FlaskClient, database: Database, site: Site, now: Any
) -> None:
    with database.write() as session:
        spoken = variant(en=text(), uk=text("Підтримайте"))
        campaigns.put(
            session, site.id, "autumn", asking(variants=[spoken]), by="admin@news.example", now=now
        )
    page = desk.get(f"{HOME}/autumn").text
    names = re.findall(r'name="(variants/[^"]+)"', page)
    values = dict.fromkeys(names, "")
    for name, value in re.findall(r'name="(variants/[^"]+)" value="([^"]*)"', page):
        values[name] = unescape(value)
    for name, value in re.findall(r'name="(variants/[^"]+)" dir="auto"[^>]*>([^<]*)<', page):
        values[name] = unescape(value)
    sent = {**form(version="1"), **values}
    assert send(desk, f"{HOME}/autumn", sent).status_code == 303
    assert kept(database)[0].variants == [spoken]


def test_removed_campaign_is_gone(desk: FlaskClient, database: Database) -> None:
    send(desk, f"{HOME}/new", form())
    answer = send(desk, f"{HOME}/autumn/removal", {})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HOME}?saved=removed")
    assert kept(database) == []


def test_lines_are_kept_and_checked(desk: FlaskClient, database: Database) -> None:
    sent = {
        "version": "0",
        "appeal_to": "blocked",
        "appeal_texts/en": "",
        "quotes": "on",
        "quote_from": "20",
        "quote_texts/en": "At most 500 characters.",
    }
    answer = send(desk, HOME, sent)
    assert answer.status_code == 422
    assert wrong(answer.text, "appeal_texts/en") == "The text in this language is missing."
    assert wrong(answer.text, "quote_from") == "A number of characters from 50 to 10,000."
    assert 'value="At most 500 characters."' in answer.text
    good = {**sent, "appeal_texts/en": "Please let us.", "quote_from": "500"}
    assert send(desk, HOME, good).status_code == 303
    assert send(desk, HOME, good).status_code == 412
    with database.read() as session:
        found = session.scalars(select(SupportLines)).one()
    assert (found.appeal_to, found.quote_from, found.version) == ("blocked", 500, 1)


def test_lines_in_languages_that_the_site_does_not_name_stay(
    desk: FlaskClient, database: Database
) -> None:
    texts = {"appeal_texts/en": "Please let us.", "appeal_texts/uk": "Дозвольте, будь ласка."}
    assert send(desk, HOME, {"version": "0", "appeal_to": "all", **texts}).status_code == 303
    assert 'value="Дозвольте, будь ласка."' in desk.get(HOME).text
    with database.read() as session:
        found = session.scalars(select(SupportLines)).one()
    assert found.appeal_texts == {"en": "Please let us.", "uk": "Дозвольте, будь ласка."}


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("appeal_texts/en", "word\x00word", "One line of at most 300 characters."),
        ("appeal_texts/en", "w" * 301, "One line of at most 300 characters."),
        ("appeal_texts/" + "x" * 36, "word", ""),
    ],
)
def test_line_that_is_none_is_refused(desk: FlaskClient, name: str, value: str, fault: str) -> None:
    answer = send(
        desk, HOME, {"version": "0", "appeal_to": "all", "appeal_texts/en": "Please.", name: value}
    )
    assert answer.status_code == 422
    assert wrong(answer.text, name) == fault
