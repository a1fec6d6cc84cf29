"""Every page of the desk's settings in Chromium: no barriers, a phone's width, the way into an account."""

from base64 import b32decode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page

from service.accounts import editors, two_step
from service.desk import handovers
from service.desk.moves import By, Decision
from service.dispatch import applying, channel_settings, health, webhooks
from service.dispatch.applying import APPLY, Reply, Verdict
from service.dispatch.client import Answer
from service.dispatch.results import Result
from service.dispatch.webhooks import CheckedUrl
from service.models import Attempt, Delivery, DeliveryState, Event, Kind, Role, State
from service.record import publications
from service.record.publications import Entry
from tests.browser.barriers import barriers
from tests.browser.test_desk import Desk, database_url, desk
from tests.conftest import PASSWORD
from tests.security.belongings import belongings

pytestmark = pytest.mark.browser
__all__ = ["database_url", "desk"]

ADMIN = "admin@news.example"
WEBHOOKS = "/review/settings/webhooks"
# What the queue asks for while it is open: no pages of their own.
FRAGMENTS = {"/review/rows", "/review/live"}
FILES = (".csv", ".jsonl")


@pytest.fixture
def places(desk: Desk, app: Flask) -> list[str]:
    """The address of every page behind the sign-in, with something on each."""
    now = datetime.now(UTC)
    with desk.database.write() as session:
        admin = editors.create(session, ADMIN, PASSWORD, desk.site, Role.ADMIN, now=now)
    ids = belongings(desk.database, desk.site, now, admin)
    fill(desk, ids, now)
    addresses = [
        rule.rule.replace("<uuid:", "<")
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/review") and "GET" in (rule.methods or set())
    ]
    for name, value in ids.items():
        addresses = [each.replace(f"<{name}>", value) for each in addresses]
    return [*addresses, f"{WEBHOOKS}/{ids['apply_id']}", f"{WEBHOOKS}/{ids['apply_id']}/edit"]


def fill(desk: Desk, ids: dict[str, str], now: datetime) -> None:
    """Things that have had a life: tried, failed, disabled, handed over, published."""
    by, correction_id = By(ADMIN), UUID(ids["correction_id"])
    with desk.database.write() as session:
        webhook = webhooks.find(session, desk.site.id, UUID(ids["webhook_id"]))
        webhook.headers, webhook.failing_since = {"X-Api-Key": "secret"}, now
        webhook.previous_secret_until = now + timedelta(hours=1)
        for status, error, said in ((503, None, "<h1>Busy</h1>"), (None, "tls: expired", None)):
            attempt = Attempt(
                delivery_id=UUID(ids["delivery_id"]), started_at=now, duration_ms=1234,
                request={"webhook-id": "…", "X-Api-Key": "…"}, status=status, error=error,
                response=said,
            )  # fmt: skip
            session.add(attempt)
        applies = webhooks.create(
            session, desk.site.id, CheckedUrl("https://cms.example/"), [APPLY], now=now
        )
        ids["apply_id"] = str(applies.id)
        decided = handovers.prepare(
            session, desk.site.id, correction_id, Decision(State.ACCEPTED), by=by, now=now
        )
        task = applying.begin(session, decided, now)
        answer = Answer(200, '{"result": "conflict"}', None)
        conflict = Reply(Verdict.CONFLICT, "The paragraph was rewritten.")
        applying.record(session, Result(task, now, 0.4, {}, answer), conflict, now)
        handovers.settle(
            session, desk.site.id, correction_id, conflict.verdict or "", conflict.detail,
            is_applied=False, by=by, now=now,
        )  # fmt: skip
        entry = Entry(Kind.CORRECTION, "a secret excerpt", "world", "A slip of ours.", "a reader")
        publications.publish(session, desk.site.id, correction_id, entry, by=ADMIN, now=now)
        channel = channel_settings.find(session, desk.site.id, UUID(ids["channel_id"]))
        channel.enabled, channel.disabled_reason = False, health.DEAD
        told = Event(
            site_id=desk.site.id, type="correction.created", subject_id=correction_id, data={},
            created_at=now, fanned_out_at=now,
        )  # fmt: skip
        session.add(told)
        session.flush()
        session.add(
            Delivery(
                event_id=told.id,
                lane_id=channel.id,
                channel_id=channel.id,
                state=DeliveryState.FAILED,
                created_at=now,
                finished_at=now,
            )
        )


def signed_in(desk: Desk, email: str = ADMIN, **options: Any) -> Page:
    page = desk.browser.another(**options).page
    page.goto(f"{desk.url}/review")
    sign_in(page, email)
    return page


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_no_page_of_the_desk_has_a_barrier_or_is_wider_than_a_phone(
    desk: Desk, places: list[str]
) -> None:
    page = signed_in(desk, viewport={"width": 360, "height": 780})
    found = []
    for place in places:
        if place in FRAGMENTS or place.endswith(FILES):
            continue
        page.goto(desk.url + place)
        found += barriers(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            found.append(f"{place} is {width} px wide")
    assert found == []


def test_invited_person_joins_and_signs_in_by_two_steps_without_scripts(
    desk: Desk, places: list[str]
) -> None:
    admin = signed_in(desk, java_script_enabled=False)
    admin.goto(f"{desk.url}/review/settings/editors")
    admin.get_by_label("E-mail").fill("new@news.example")
    admin.get_by_role("button", name="Make the link").click()
    link = admin.locator(".once input, .once code").first
    address = (
        link.input_value() if link.evaluate("e => e.tagName") == "INPUT" else link.inner_text()
    )

    page = desk.browser.another(java_script_enabled=False).page
    page.goto(desk.url + urlsplit(address).path)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.get_by_text("Welcome. You can sign in now.").wait_for()
    sign_in(page, "new@news.example")
    page.goto(f"{desk.url}/review/settings/account/second-step")
    page.get_by_role("button", name="Set it up").click()
    secret = b32decode(page.locator(".secret").inner_text().replace(" ", ""))
    typed = two_step.code_at(secret, two_step.step_at(datetime.now(UTC)))
    page.get_by_label("Type the six digits that it shows").fill(typed)
    page.get_by_role("button", name="Turn it on").click()
    recovery = page.locator(".codes code").first.inner_text()

    page.locator("button.whose").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{desk.url}/review")
    sign_in(page, "new@news.example")
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{desk.url}/review")
    page.goto(f"{desk.url}/review/settings/audit")
    assert page.locator("h1").inner_text() == "You may not do this"
    admin.goto(f"{desk.url}/review/settings/audit")
    assert "new@news.example" in admin.inner_text("main")
