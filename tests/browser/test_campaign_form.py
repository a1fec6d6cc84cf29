"""The preview of a campaign while it is written, in Chromium: the readers' own ask, in four looks."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.support import campaigns
from tests.browser.barriers import barriers
from tests.browser.test_desk import Desk, database_url, desk
from tests.support.conftest import asking, text, variant

pytestmark = pytest.mark.browser
__all__ = ["database_url", "desk"]

LOOKS = ["light", "dark", "phone", "rtl"]
DRAWN = """(frame) => {
  const told = (node) =>
    node.nodeType === 3
      ? node.data
      : [
          node.localName,
          Object.fromEntries([...node.attributes].map(({ name, value }) => [name, value]).sort()),
          [...node.childNodes].filter((n) => n.localName !== 'link').map(told),
        ];
  const { firstElementChild: host } = frame;
  return JSON.stringify([told(host), [...host.shadowRoot.children].map(told).filter(([n]) => n !== 'link')]);
}"""


def drawn(page: Page) -> list[str]:
    """Each look as elements, attributes and texts."""
    return [page.locator(f".frame.{look}").evaluate(DRAWN) for look in LOOKS]


def opened(desk: Desk, **options: Any) -> Page:
    """The form of a campaign with all that an ask can have."""
    amount = {"label": "5 €", "url": "https://pay.example/?sum=5"}
    other = {"label": "Other ways", "url": "https://news.example/ways"}
    full = text(ways=[*text()["ways"], other], amounts=[amount], image_alt="A press")
    texts = {"en": full, "uk": text("Підтримайте нас")}
    with desk.database.write() as session:
        wanted = asking(
            variants=[variant(**texts), variant("b", en=text("Second"))],
            image_url="https://news.example/press.png",
        )
        campaigns.put(
            session, desk.site.id, "autumn", wanted, by="admin@news.example", now=datetime.now(UTC)
        )
    page = desk.sign_in(desk.browser.another(**options))
    page.goto(f"{desk.url}/review/settings/support/autumn")
    return page


def test_server_and_browser_draw_the_same_ask(desk: Desk) -> None:
    page = opened(desk)
    assert not page.get_by_role("button", name="Show what is written").is_visible()
    before = drawn(page)
    page.get_by_label("Name").fill("Late autumn")
    assert page.locator(".frame link").count() == 0
    assert drawn(page) == before


def test_preview_follows_what_is_typed(desk: Desk) -> None:
    page = opened(desk)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.locator("[name='variants/0/texts/en/title']").fill("As typed <b>")
    titles = page.locator(".frame h2")
    expect(titles).to_have_text(["As typed <b>"] * 4)
    page.locator("[name='variants/0/texts/en/ways']").fill(
        "Bad | javascript:alert(1)\nWords | with a bar | https://news.example/"
    )
    ways = page.locator(".frame.light [part~=primary]")
    expect(ways).to_have_text(["Words | with a bar"])
    # The text that is being written is the one that is seen.
    page.locator("[name='variants/0/texts/uk/title']").fill("Пишемо")
    assert page.get_by_label("Variant and language").input_value() == "0/uk"
    expect(titles).to_have_text(["Пишемо"] * 4)
    page.get_by_label("Variant and language").select_option("1/uk")
    expect(titles).to_have_text(["Second"] * 4)
    for name in ("title", "text", "ways"):
        page.locator(f"[name='variants/1/texts/en/{name}']").fill("")
    expect(titles).to_have_count(0)
    assert page.get_by_text("Write a title, a text and a way to support").is_visible()
    assert told == []


def test_each_look_is_what_it_is_called(desk: Desk) -> None:
    page = opened(desk, viewport={"width": 1280, "height": 900})
    page.get_by_label("Name").fill("Late autumn")
    looks = {
        look: page.locator(f".frame.{look}").evaluate(
            """(frame) => {
              const section = frame.firstElementChild.shadowRoot.querySelector('section');
              const { colorScheme, direction } = getComputedStyle(section);
              return [colorScheme, direction, frame.offsetWidth <= 320];
            }"""
        )
        for look in LOOKS
    }
    assert looks == {
        "light": ["light", "ltr", False],
        "dark": ["dark", "ltr", False],
        "phone": ["light", "ltr", True],
        "rtl": ["light", "rtl", False],
    }
    backgrounds = [
        page.locator(f".frame.{look}").evaluate(
            "(frame) => getComputedStyle(frame).backgroundColor"
        )
        for look in ("light", "dark")
    ]
    assert backgrounds[0] == "rgb(255, 255, 255)"
    assert backgrounds[1] != backgrounds[0]
    assert barriers(page) == []


def test_preview_works_without_scripts(desk: Desk) -> None:
    page = opened(desk, java_script_enabled=False)
    expect(page.locator(".frame h2")).to_have_text(["Keep us independent"] * 4)
    page.locator("[name='variants/1/texts/en/title']").fill("As typed")
    page.get_by_label("Variant and language").select_option("1/en")
    page.get_by_role("button", name="Show what is written").click()
    page.locator(".frame.light h2", has_text="As typed").wait_for()
    expect(page.locator(".frame h2")).to_have_text(["As typed"] * 4)
    assert page.locator(".frame.light h2").bounding_box()
    with desk.database.read() as session:
        kept = campaigns.find(session, desk.site.id, "autumn")
        assert kept.variants[1]["texts"]["en"]["title"] == "Second"
