"""Every state of the desk's pages in Chromium: refused, empty, before the sign-in; no scripts, small, Ukrainian."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from service.accounts import invitations, passwords
from service.desk import changes
from service.models import Editor, Membership, Role, State
from tests.accounts.test_two_step import turn_on
from tests.browser.barriers import barriers
from tests.browser.test_desk import EMAIL, Desk, database_url, desk
from tests.browser.test_queue import OTHER, move, several
from tests.browser.test_settings import ADMIN, FILES, FRAGMENTS, places
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser
__all__ = ["database_url", "desk", "places"]

SETTINGS = "/review/settings"
PHONE = {"width": 360, "height": 780}
# A button that sends no form and opens nothing needs a script.
IDLE = """() => [...document.querySelectorAll('button, summary, a')]
  .filter((each) => each.checkVisibility())
  .filter((each) => each.localName === 'button'
    ? !(each.type === 'submit' ? each.form : each.popoverTargetElement)
    : each.localName === 'a' && !each.href)
  .map((each) => each.outerHTML)"""
ENGLISH = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { data, parentElement } = walk.currentNode;
    if (parentElement.closest('bdi, code, pre, [lang], script, style, template, .passage, .comment, q, textarea, option, .bar, address, time')) continue;
    if (/[A-Za-z]{2,} [A-Za-z]{2,}/.test(data)) found.push(data.trim());
  }
  return found;
}"""


def wide(page: Page) -> list[str]:
    needed = page.evaluate("document.documentElement.scrollWidth")
    return [f"{page.url} needs {needed} px of 360"] if needed > 360 else []


def test_every_page_works_small_in_ukrainian_without_scripts(desk: Desk, places: list[str]) -> None:
    page = signed_in_uk(desk)
    found = []
    for place in places:
        if place in FRAGMENTS or place.endswith(FILES):
            continue
        page.goto(desk.url + place)
        found += wide(page)
        found += [f"{place}: idle: {each}" for each in page.evaluate(IDLE)]
        found += [f"{place}: English: {each}" for each in page.evaluate(ENGLISH)]
    assert found == []


def signed_in_uk(desk: Desk) -> Page:
    page = desk.browser.another(locale="uk", viewport=PHONE, java_script_enabled=False).page
    page.goto(f"{desk.url}/review")
    page.locator("[name=email]").fill(ADMIN)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button.yes").click()
    page.wait_for_url(f"{desk.url}/review")
    return page


def faults(page: Page) -> list[str]:
    """What stands in somebody's way in this state of the page, and how much too wide it is."""
    return wide(page) + barriers(page)


def send(page: Page, path: str, button: str, **fields: str) -> None:
    """Fill in the form that has a button and send it, whatever the browser would say of it."""
    form = page.locator("form").filter(has=page.get_by_role("button", name=button, exact=True))
    form = form.first
    for name, value in fields.items():
        form.locator(f"[name={name}]").first.fill(value)
    form.evaluate("form => { form.noValidate = true; }")
    with page.expect_navigation(url=f"**{path}"):
        form.get_by_role("button", name=button, exact=True).click()


def test_nothing_bars_the_way_in(desk: Desk) -> None:
    now = datetime.now(UTC)
    with desk.database.write() as session:
        _, link = invitations.invite(
            session, desk.site, "new@news.example", Role.EDITOR, by=ADMIN, now=now
        )
        editor = session.scalars(select(Editor).where(Editor.email == EMAIL)).one()
        password = passwords.link_for(session, desk.site.id, editor.id, by=ADMIN, now=now)[1]
    page, found = desk.browser.another(viewport=PHONE).page, []
    for place in ("/", "/login", "/login?done=joined", "/login?done=password", "/nowhere",
                  "/password/forgotten", f"/invitation/{link}", f"/password/{password}",
                  "/password/gone"):  # fmt: skip
        page.goto(desk.url + place)
        found += faults(page)
    page.goto(f"{desk.url}/invitation/{link}")
    send(page, f"/invitation/{link}", "Join", password="short")
    expect(page.locator(".wrong")).to_be_visible()
    found += faults(page)
    page.goto(f"{desk.url}/login")
    send(page, "/login", "Sign in", email=EMAIL, password="wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page)
    turn_on(desk.database, editor, now)
    send(page, "/login", "Sign in", email=EMAIL, password=PASSWORD)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    found += faults(page)
    send(page, "/login/code", "Sign in", code="000000")
    expect(page.get_by_role("alert")).to_be_visible()
    assert found + faults(page) == []


def test_nothing_bars_the_way_where_nothing_is_there_yet(desk: Desk, app: Flask) -> None:
    page, found = admin(desk), []
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())]
    places = [rule.rule for rule in rules if rule.rule.startswith("/review") and not rule.arguments]
    for place in [*places, "/review?state=fixed", "/review?suspected=true", "/review?q=nothing"]:
        if place in FRAGMENTS or place.endswith(FILES):
            continue
        page.goto(desk.url + place)
        found += faults(page)
    assert found == []


def admin(desk: Desk) -> Page:
    """A telephone in which an admin is signed in."""
    with desk.database.write() as session:
        session.execute(update(Membership).values(role=Role.ADMIN))
    return desk.sign_in(desk.browser.another(viewport=PHONE))


REFUSED = [
    ("site", "", "Save", {"name": "", "origins": "ftp://x", "spam_threshold": "0"}),
    ("editors", "", "Make the link", {"email": "nobody"}),
    ("account/password", "account", "Change the password", {"password": "x", "new_password": "y"}),
    ("webhooks", "webhooks/new", "Make the webhook", {"url": "ftp://cms.example/"}),
    ("channels", "channels/new?medium=slack", "Make the channel", {"name": ""}),
]


def test_nothing_bars_the_way_where_settings_are_refused(desk: Desk) -> None:
    page, found = admin(desk), []
    for path, place, button, fields in REFUSED:
        page.goto(f"{desk.url}{SETTINGS}/{place or path}")
        send(page, f"{SETTINGS}/{path}", button, **fields)
        expect(page.locator(".wrong").first).to_be_visible()
        found += faults(page)
    assert found == []
    page.goto(f"{desk.url}{SETTINGS}/account")
    send(page, f"{SETTINGS}/account?saved=profile", "Save", name="Desk")
    found += faults(page)
    page.goto(f"{desk.url}{SETTINGS}/tokens")
    send(page, f"{SETTINGS}/tokens", "Make the token", name="content system")
    expect(page.locator(".once")).to_be_visible()
    assert found + faults(page) == []


def test_nothing_bars_the_way_where_somebody_was_first(desk: Desk) -> None:
    ids = several(desk)
    page, found = desk.sign_in(desk.browser.another(viewport=PHONE)), []
    page.goto(f"{desk.url}/review/{ids[0]}")
    move(desk, ids[0], State.FIXED)
    page.get_by_label("Public note").fill("Mine")
    page.locator(".fields").get_by_role("button", name="Accept", exact=True).click()
    expect(page.locator(".refused")).to_be_focused()
    found += faults(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Preview: nothing is published yet")).to_be_visible()
    found += faults(page)
    page.goto(f"{desk.url}/review/{ids[1]}")
    send(page, f"/review/{ids[1]}/notes", "Add the note", note="@stranger")
    expect(page.get_by_role("alert")).to_be_visible()
    assert found + faults(page) == []


def test_nothing_bars_the_way_while_the_queue_is_worked_at(desk: Desk) -> None:
    ids = several(desk)
    page, found = desk.sign_in(desk.browser.another(viewport=PHONE)), []
    for word in ("wrold", "thier"):
        page.locator(f"#c-{ids[['wrold', 'thier'].index(word)]} .pick").click()
    found += faults(page)
    move(desk, ids[0], State.SPAM)
    page.locator(".bulk button[value=fixed]").click()
    expect(page.locator(".done .problem")).to_be_visible()
    expect(page.locator(".row.settled")).to_be_visible()
    found += faults(page)
    with desk.database.write() as session:
        wanted = {"assignee": EMAIL}
        changes.change(session, desk.site.id, ids[2], wanted, by=OTHER, now=datetime.now(UTC))
    page.context.set_offline(True)
    page.locator(f"#c-{ids[3]} button[data-act=accepted]").click()
    expect(page.locator(".lost")).to_be_visible()
    found += faults(page)
    page.context.set_offline(False)
    page.goto(f"{desk.url}/review?did=fixed&done={ids[1]}&failed={ids[0]}")
    expect(page.locator(".failed")).to_be_visible()
    assert found + faults(page) == []
