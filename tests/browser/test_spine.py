"""One correction, the whole way: page, dialog, queue, decision, signed webhook."""

import json

import pytest

from tests.browser.engines import Chromium
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

# Where a word stands on the screen, in CSS pixels.
BOX = """(word) => {
  const walker = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(word);
    if (at < 0) continue;
    node.parentElement.scrollIntoView({ block: 'center' });
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + word.length);
    const { left, right, top, bottom } = range.getBoundingClientRect();
    return { left, right, middle: (top + bottom) / 2 };
  }
}"""


def drag_over(reader: Chromium, word: str) -> None:
    """Select a word with the mouse, from its first letter to its last."""
    box = reader.page.evaluate(BOX, word)
    mouse = reader.page.mouse
    mouse.move(box["left"] + 1, box["middle"])
    mouse.down()
    mouse.move(box["right"] - 1, box["middle"], steps=8)
    mouse.up()
    assert reader.selection() == word


def test_a_correction_travels_the_whole_way(demo: Demo, chromium: Chromium) -> None:
    receiver = chromium.another()
    receiver.open(f"{demo.url}/demo/receiver")
    receiver.wait_for("document.querySelector('#state[data-state=live]')")

    reader = chromium
    reader.open(f"{demo.url}/demo/night-buses")
    reader.wait_for("window.Corrigenda")
    drag_over(reader, "accomodate")
    reader.press("Control+Enter")
    assert reader.inside_dialog("blockquote mark").text() == "accomodate"
    reader.inside_dialog("textarea[name=suggestion]").fill("accommodate")
    reader.inside_dialog("button[type=submit]").click()
    receipt = reader.inside_dialog("[role=status] a").attribute("href")
    assert receipt is not None
    assert receipt.startswith(f"{demo.url}/r/")

    editor = chromium.another()
    editor.open(f"{demo.url}/review")
    editor.page.get_by_label("E-mail").fill(demo.email)
    editor.page.get_by_label("Password").fill(demo.password)
    editor.page.get_by_role("button", name="Sign in").click()
    entry = editor.page.locator("article, li").filter(has_text="accommodate").first
    entry.get_by_role("button", name="Accept").click()

    created = arrival(receiver, "correction.created")
    accepted = arrival(receiver, "correction.accepted")
    assert created["data"]["id"] == accepted["data"]["id"]
    assert created["data"]["selector"][0]["exact"] == "accomodate"
    assert created["data"]["suggestions"] == [{"text": "accommodate", "count": 1}]
    assert (created["data"]["state"], accepted["data"]["state"]) == ("new", "accepted")

    reader.open(receipt)
    assert "accommodate" in reader.text("main")


def arrival(receiver: Chromium, kind: str) -> dict[str, dict[str, object]]:
    """The payload of the card that the receiver's page shows by itself, verified."""
    card = receiver.page.locator(".arrival[data-verified=true]").filter(has_text=kind).first
    card.wait_for()
    assert card.locator("[data-field=verdict]").text_content() == "verified"
    payload: dict[str, dict[str, object]] = json.loads(card.locator("pre").text_content() or "")
    assert payload["type"] == kind
    return payload
