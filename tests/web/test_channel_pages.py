"""Channels at the desk, by the pages, and the link that stops one."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import Database
from service.dispatch import channel_settings
from service.dispatch.parcels import stop_token
from service.models import Channel, Medium, Pace, Site
from tests.conftest import Clock
from tests.dispatch.conftest import receiver
from tests.dispatch.receivers import Receiver
from tests.web.test_settings_pages import admins
from tests.web.test_signing_in import SETTINGS
from tests.web.test_webhook_pages import log, saved, send

__all__ = ["admins", "receiver"]

HOME = f"{SETTINGS}/channels"
FORM = {
    "name": "Night desk",
    "url": "http://127.0.0.1:9/services/T0/B0/very-secret",
    "events": ["correction.created", "correction.accepted"],
    "least_reports": "2",
    "pace": "daily",
    "hour": "7",
    "zone": "Europe/Kyiv",
    "quiet_from": "22:30",
    "quiet_until": "06:00",
}


def make(client: FlaskClient, medium: str = "slack", **changed: Any) -> str:
    answer = send(client, HOME, **{**FORM, "medium": medium, **changed})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).partition("?")[0]


def kept(database: Database, site: Site) -> Channel:
    with database.read() as session:
        [found] = channel_settings.of_site(session, site.id)
        return found


def test_channel_is_made_and_its_secret_masked(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    assert "There is no channel yet." in admins.get(HOME).text
    place = make(admins)
    found = kept(database, site)
    assert (found.medium, found.name, found.pace) == (Medium.SLACK, "Night desk", Pace.DAILY)
    assert (found.hour, found.zone, found.least_reports) == (7, "Europe/Kyiv", 2)
    assert (found.quiet_from, found.quiet_until) == (22 * 60 + 30, 6 * 60)
    assert found.target == {"url": FORM["url"]}
    for path in (HOME, place, f"{SETTINGS}/audit"):
        page = admins.get(path).text
        assert ("Night desk" in page, "very-secret" in page) == (True, False), path
        assert "http://127.0.0.1:9/…cret" in page
    form = admins.get(place).text
    assert 'name="quiet_from" value="22:30"' in form
    assert (form.count(" checked>"), '<option value="daily" selected>' in form) == (2, True)


@pytest.mark.parametrize(
    ("medium", "target"),
    [
        ("mail", {"address": "desk@news.example"}),
        ("mattermost", {"url": "http://127.0.0.1:9/hooks/x"}),
        ("discord", {"url": "http://127.0.0.1:9/api/webhooks/1/x"}),
        ("teams", {"url": "http://127.0.0.1:9/workflows/x"}),
        ("telegram", {"token": "123:ABC", "chat": "@desk", "server": "http://127.0.0.1:9"}),
    ],
)
def test_every_medium_has_its_fields(
    admins: FlaskClient, database: Database, site: Site, medium: str, target: dict[str, str]
) -> None:
    form = admins.get(f"{HOME}/new?medium={medium}").text
    names = [name for name in ("address", "url", "token", "chat", "server") if f'"{name}"' in form]
    assert names == list(target)
    make(admins, medium, **{"url": "", **target})
    assert kept(database, site).target == target


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"url": ""}, "url"),
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"events": []}, "events"),
        ({"hour": "24"}, "hour"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"quiet_until": ""}, "quiet_until"),
        ({"quiet_from": "late"}, "quiet_from"),
        ({"least_reports": "0"}, "least_reports"),
    ],
)
def test_form_that_is_wrong_says_where(
    admins: FlaskClient, database: Database, changed: Any, field: str
) -> None:
    answer = send(admins, HOME, **{**FORM, "medium": "slack", "name": "Typed with care", **changed})
    assert answer.status_code == 422
    assert re.findall(r'class="wrong" id="([a-z_]+)-wrong"', answer.text) == [field]
    assert ('value="Typed with care"' in answer.text) == (field != "name")
    with database.read() as session:
        assert session.query(Channel).count() == 0


def test_change_keeps_the_secret_that_is_left_empty_and_is_logged(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    place = make(admins)
    answer = send(admins, place, **{**FORM, "url": "", "name": "Day desk", "pace": "hourly"})
    assert saved(admins.get(answer.headers["Location"]).text) == ["Saved."]
    found = kept(database, site)
    assert (found.name, found.pace, found.target) == ("Day desk", Pace.HOURLY, {"url": FORM["url"]})
    changed = {"name": "Day desk", "pace": "hourly"}
    assert log(database, site)[0] == (
        "channel.changed",
        "Day desk",
        {"name": "Night desk", "pace": "daily"},
        changed,
    )
    assert send(admins, place, **{**FORM, "url": "http://10.0.0.1/"}).status_code == 422


def test_second_of_two_admins_is_told_what_the_first_changed(
    admins: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    place = make(admins)
    clock.advance(minutes=1)
    [seen] = re.findall(r'name="seen" value="([^"]+)"', admins.get(place).text)
    assert send(admins, place, **{**FORM, "pace": "hourly", "seen": seen}).status_code == 303
    stale = send(admins, place, **{**FORM, "least_reports": "9", "seen": seen})
    assert (stale.status_code, kept(database, site).least_reports) == (412, 2)
    told = re.sub("<[^>]+>", "", stale.text.partition('class="refusal"')[2].partition("</ul>")[0])
    assert "admin@news.example, just now: Channel changed; How soon hourly" in told
    assert 'value="9"' in stale.text
    [again] = re.findall(r'name="seen" value="([^"]+)"', stale.text)
    assert send(admins, place, **{**FORM, "least_reports": "9", "seen": again}).status_code == 303
    assert kept(database, site).least_reports == 9


def test_channel_is_disabled_enabled_and_removed(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    place = make(admins)
    send(admins, f"{place}/enabled", enabled="false")
    assert "Disabled by an editor." in admins.get(place).text
    send(admins, f"{place}/enabled", enabled="true")
    assert kept(database, site).enabled
    answer = send(admins, f"{place}/remove")
    assert saved(admins.get(answer.headers["Location"]).text) == ["The channel is removed."]
    assert [each[0] for each in log(database, site)] == [
        "channel.removed",
        "channel.changed",
        "channel.changed",
        "channel.made",
    ]


def test_test_message_is_sent_at_once_and_its_outcome_told(
    admins: FlaskClient, receiver: Receiver
) -> None:
    place = make(admins, url=receiver.url)
    page = send(admins, f"{place}/test").text
    assert saved(page) == ["The test message was taken. Look whether it is there."]
    [message] = receiver.got
    assert b"A test message: corrections to The Daily will be told of here." in message.body
    unheard = make(admins, name="Nobody listens")
    page = send(admins, f"{unheard}/test").text
    assert "The test message did not arrive: " in page
    assert "connect" in page


@pytest.fixture
def stop_url(app: Flask, admins: FlaskClient, database: Database, site: Site) -> str:
    make(admins, "mail", address="desk@news.example")
    found = kept(database, site)
    return f"/channels/{found.id}/stop/{stop_token('a secret for tests', found.id)}"


def test_mail_is_stopped_by_one_click_of_a_mail_program(
    app: Flask, database: Database, site: Site, stop_url: str, clock: Clock
) -> None:
    program = app.test_client()
    answer = program.post(stop_url, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (200, "no-referrer")
    found = kept(database, site)
    assert (found.enabled, found.updated_at) == (False, clock())
    assert found.disabled_reason == "Stopped by a link in one of its messages."
    assert program.post(stop_url).status_code == 200


def test_opening_the_link_stops_nothing_and_its_button_does(
    app: Flask, database: Database, site: Site, stop_url: str
) -> None:
    reader = app.test_client()
    page = reader.get(stop_url).text
    assert ("<button" in page, kept(database, site).enabled) == (True, True)
    assert reader.get(stop_url[:-1]).status_code == 404
    assert reader.post(f"{stop_url}x").status_code == 404
    assert kept(database, site).enabled
    page = reader.post(stop_url).text
    assert ("<button" in page, "Nothing more is sent to Night desk." in page) == (False, True)
    assert not kept(database, site).enabled
