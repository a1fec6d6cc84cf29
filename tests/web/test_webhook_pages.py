"""Webhooks at the desk, by the pages."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from service import audits
from service.db import Database
from service.dispatch import fan_out, webhooks
from service.models import Attempt, Delivery, DeliveryState, Editor, Site, Webhook
from tests.conftest import Clock
from tests.reporting import report
from tests.web.test_pages import OURS, form_token, sign_in
from tests.web.test_settings_pages import admins
from tests.web.test_signing_in import SETTINGS, shown_once

__all__ = ["admins"]

HOME = f"{SETTINGS}/webhooks"
URL = "http://127.0.0.1:9/hook"
FORM = {
    "url": URL,
    "description": "Content system",
    "events": ["correction.accepted", "correction.fixed"],
    "headers": "X-Api-Key: very secret\r\nX-Desk: culture\r\n",
}


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    return client.post(path, data={"form_token": form_token(client), **form}, headers=OURS)


def make(client: FlaskClient, **changed: Any) -> str:
    """The page of a new webhook."""
    answer = send(client, HOME, **{**FORM, **changed})
    assert answer.status_code == 200, answer.text
    [place] = re.findall(r'action="([^"]+)/enabled"', answer.text)
    return str(place)


def kept(database: Database, site: Site) -> Webhook:
    with database.read() as session:
        [found] = webhooks.of_site(session, site.id)
        return found


def log(database: Database, site: Site) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    with database.read() as session:
        found = audits.page(session, site.id, by="admin@news.example").entries
        return [(each.action, each.subject, each.before, each.after) for each in found]


def saved(page: str) -> list[str]:
    return re.findall(r'class="saved" role="status">([^<]+)<', page)


def test_webhook_is_made_and_its_secret_shown_once(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    assert "There is no webhook yet." in admins.get(HOME).text
    answer = send(admins, HOME, **FORM)
    found = kept(database, site)
    assert shown_once(answer.text) == found.secret
    assert (found.url, found.description) == (URL, "Content system")
    assert found.events == ["correction.accepted", "correction.fixed"]
    assert found.headers == {"X-Api-Key": "very secret", "X-Desk": "culture"}
    for path in (HOME, f"{HOME}/{found.id}", f"{HOME}/{found.id}/edit", f"{SETTINGS}/audit"):
        page = admins.get(path).text
        shown = (URL in page, found.secret in page, "very secret" in page)
        assert shown == (True, False, False), path
    assert log(database, site) == [
        (
            "webhook.made",
            URL,
            {},
            {
                "url": URL,
                "description": "Content system",
                "events": ["correction.accepted", "correction.fixed"],
                "headers": ["X-Api-Key: …", "X-Desk: …"],
                "enabled": True,
            },
        )
    ]


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"url": "http://10.0.0.1/"}, "url", "Nothing is sent there: "),
        ({"url": ""}, "url", "Length must be between 1 and 2048."),
        ({"events": []}, "events", "Length must be between 1 and 20."),
        ({"headers": "no colon"}, "headers", "Write one header a line, as in X-Api-Key: value."),
        ({"headers": "Host: x"}, "headers", "Host: This header is ours to set."),
        ({"headers": "X-New: …"}, "headers", "X-New: A value has 1 to 1,000 visible ASCII"),
    ],
)
def test_form_that_is_wrong_says_where_and_keeps_what_was_typed(
    admins: FlaskClient, database: Database, changed: Any, field: str, told: str
) -> None:
    answer = send(admins, HOME, **{**FORM, **changed, "description": "Typed with care"})
    assert answer.status_code == 422
    [wrong] = re.findall(rf'class="wrong" id="{field}-wrong">([^<]+)<', answer.text)
    assert wrong.startswith(told)
    assert 'value="Typed with care"' in answer.text
    with database.read() as session:
        assert session.query(Webhook).count() == 0


def test_change_keeps_the_headers_that_are_still_masked(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    place = make(admins)
    form = admins.get(f"{place}/edit").text
    assert ">X-Api-Key: …\nX-Desk: …</textarea>" in form
    assert form.count(" checked>") == 2
    headers = "X-Api-Key: …\r\nX-Desk: politics"
    answer = send(admins, place, **{**FORM, "headers": headers})
    assert answer.headers["Location"] == f"{place}?saved=webhook"
    assert kept(database, site).headers == {"X-Api-Key": "very secret", "X-Desk": "politics"}
    masked = {"headers": ["X-Api-Key: …", "X-Desk: …"]}
    assert log(database, site)[0] == ("webhook.changed", URL, masked, masked)
    send(admins, place, **{**FORM, "headers": headers.replace("politics", "…")})
    assert len(log(database, site)) == 2


def test_webhook_is_disabled_and_enabled(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    place = make(admins)
    answer = send(admins, f"{place}/enabled", enabled="false")
    page = admins.get(answer.headers["Location"]).text
    assert saved(page) == ["Disabled: nothing is sent there, and what was waiting has failed."]
    assert "Disabled by an editor or a script." in page
    assert (kept(database, site).enabled, f"{place}/ping" in page) == (False, False)
    send(admins, f"{place}/enabled", enabled="true")
    assert (kept(database, site).enabled, kept(database, site).disabled_reason) == (True, None)
    assert [each[0] for each in log(database, site)] == [
        "webhook.changed",
        "webhook.changed",
        "webhook.made",
    ]


def test_ping_is_listed_with_what_was_sent_and_answered(
    admins: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    place = make(admins)
    assert "Nothing was sent there yet." in admins.get(place).text
    answer = send(admins, f"{place}/ping")
    page = admins.get(answer.headers["Location"]).text
    assert saved(page) == ["A ping is on its way. Reload the page in a moment to see how it went."]
    [delivery] = re.findall(rf'href="({HOME}/deliveries/[^"]+)">ping<', page)
    assert "not tried yet" in page
    with database.write() as session:
        session.add(
            Attempt(
                delivery_id=UUID(delivery.rpartition("/")[2]),
                started_at=clock(),
                duration_ms=41,
                request={"webhook-id": "an id", "X-Api-Key": "…"},
                status=503,
                error=None,
                response="<b>Down for repair</b>",
            )
        )
        at = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
        session.execute(update(Delivery).values(next_attempt_at=at, attempt_count=1))
    row = admins.get(place).text
    assert "<span>503</span> <span>41 ms</span>" in row
    assert "next attempt 1 Mar 2026, 12:05 UTC" in row
    whole = admins.get(delivery).text
    assert "<dt>X-Api-Key</dt><dd>…</dd>" in whole
    assert "&lt;b&gt;Down for repair&lt;/b&gt;</pre>" in whole
    assert "{&#34;type&#34;:&#34;ping&#34;," in whole
    answer = send(admins, f"{delivery}/redeliver")
    assert answer.headers["Location"] == f"{delivery}?saved=redelivered"
    with database.read() as session:
        [again] = session.query(Delivery).all()
    assert (again.state, again.next_attempt_at) == (DeliveryState.PENDING, clock())
    assert log(database, site)[0][0] == "webhook.redelivered"


def test_all_that_failed_since_a_moment_is_sent_again(
    admins: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    place = make(admins, events="*")
    report(database, site, clock())
    report(database, site, clock(), exact="colour", suggestion="color", start=80)
    clock.advance(minutes=2)
    with database.write() as session:
        fan_out.fan_out(session, now=clock())
        session.execute(update(Delivery).values(state=DeliveryState.FAILED, finished_at=clock()))
    page = admins.get(f"{place}?state=failed").text
    assert page.count('<span class="flag warn">Failed</span>') == 4
    assert 'name="since" value="2026-02-28T12:02"' in page
    assert send(admins, f"{place}/redeliver", since="soon").status_code == 422
    answer = send(admins, f"{place}/redeliver", since="2026-03-01T12:03")
    assert saved(admins.get(answer.headers["Location"]).text) == ["0 deliveries are on their way."]
    answer = send(admins, f"{place}/redeliver", since="2026-03-01T12:02")
    assert saved(admins.get(answer.headers["Location"]).text) == ["4 deliveries are on their way."]
    assert "Nothing matches." in admins.get(f"{place}?state=failed").text
    after = {"since": "2026-03-01T12:02:00.000Z", "count": 4}
    assert log(database, site)[0] == ("webhook.redelivered", URL, {}, after)


def test_past_events_are_sent_to_a_new_webhook_from_a_day_on(
    admins: FlaskClient, editor: Editor, database: Database, site: Site, clock: Clock
) -> None:
    report(database, site, clock())
    with database.write() as session:
        fan_out.fan_out(session, now=clock())
    place = make(admins, events="correction.created")
    for since, told in (("2026-03-02", "0 deliveries are"), ("2026-03-01", "1 delivery is")):
        answer = send(admins, f"{place}/replay", since=since)
        page = admins.get(answer.headers["Location"]).text
        assert [said.partition(" on ")[0] for said in saved(page)] == [told]
    assert log(database, site)[0][3] == {"since": "2026-03-01T00:00:00.000Z", "count": 1}


def test_deliveries_are_paged(
    admins: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    place = make(admins)
    with database.write() as session:
        for _ in range(30):
            webhooks.ping(session, session.get_one(Webhook, kept(database, site).id), now=clock())
    first = admins.get(place).text
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = admins.get(older.replace("&amp;", "&")).text
    assert (first.count(">ping</a>"), second.count(">ping</a>")) == (25, 5)
    assert 'rel="next"' not in second


def test_new_secret_is_shown_once_and_both_sign_for_a_day(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    place = make(admins)
    before = kept(database, site).secret
    answer = send(admins, f"{place}/secret")
    found = kept(database, site)
    assert shown_once(answer.text) == found.secret
    assert (found.previous_secret, found.secret != before) == (before, True)
    assert "The old one signs too until 2 Mar 2026, 12:00 UTC." in admins.get(place).text
    assert log(database, site)[0][:2] == ("webhook.secret_renewed", URL)


def test_webhook_is_removed(admins: FlaskClient, database: Database, site: Site) -> None:
    place = make(admins)
    answer = send(admins, f"{place}/remove")
    assert saved(admins.get(answer.headers["Location"]).text) == ["The webhook is removed."]
    assert admins.get(place).status_code == 404
    assert log(database, site)[0][:2] == ("webhook.removed", URL)


def test_pages_are_for_admins(client: FlaskClient, editor: Editor) -> None:
    sign_in(client, editor)
    assert client.get(HOME).status_code == 403
    assert f'href="{HOME}"' not in client.get(f"{SETTINGS}/account").text


def test_apply_endpoint_is_set_up_and_never_offered_twice(
    admins: FlaskClient, database: Database, site: Site
) -> None:
    link = f"{HOME}/new?events=correction.apply"
    assert link in admins.get(HOME).text
    form = admins.get(link).text
    assert re.findall(r'name="events" value="([^"]+)"', form) == ["correction.apply"]
    page = send(admins, HOME, **{**FORM, "events": "correction.apply"}).text
    found = kept(database, site)
    assert (found.events, shown_once(page)) == (["correction.apply"], found.secret)
    assert "Nothing was handed over yet." in page
    assert "Catching up" not in page
    assert link not in admins.get(HOME).text
    edit = admins.get(f"{HOME}/{found.id}/edit").text
    assert re.findall(r'name="events" value="([^"]+)"', edit) == ["correction.apply"]
    again = send(admins, HOME, **{**FORM, "events": "correction.apply"})
    assert again.status_code == 422
    assert "This site has an address where corrections are applied." in again.text


def test_second_of_two_admins_is_told_what_the_first_changed(
    admins: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    path = make(admins)
    clock.advance(minutes=1)

    def opened() -> str:
        [seen] = re.findall(r'name="seen" value="([^"]+)"', admins.get(f"{path}/edit").text)
        return str(seen)

    first, second = opened(), opened()
    theirs = send(admins, path, **{**FORM, "description": "Archive", "seen": first})
    assert theirs.status_code == 303
    mine = {**FORM, "description": "Mine", "events": "*"}
    bad = send(admins, path, **{**mine, "url": "nowhere", "seen": second})
    assert (bad.status_code, f'name="seen" value="{second}"' in bad.text) == (422, True)
    stale = send(admins, path, **{**mine, "seen": second})
    assert stale.status_code == 412
    told = re.sub("<[^>]+>", "", stale.text.partition('class="refusal"')[2].partition("</ul>")[0])
    assert "admin@news.example, just now: Webhook changed; Description Archive" in told
    assert 'value="Mine"' in stale.text
    assert kept(database, site).description == "Archive"
    [again] = re.findall(r'name="seen" value="([^"]+)"', stale.text)
    assert send(admins, path, **{**mine, "seen": again}).status_code == 303
    assert (kept(database, site).description, kept(database, site).events) == ("Mine", ["*"])
