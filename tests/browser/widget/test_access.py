"""The dialog for everyone: assistive technology, small screens, every language. Chromium and axe-core."""

import json
from collections.abc import Callable

import pytest

from tests.browser.barriers import barriers
from tests.browser.engines import ROOT, Chromium
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import call, visit
from tests.browser.widget.test_way import is_said, send

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]

STRINGS = {
    file.stem: json.loads(file.read_text())["widget"]
    for file in (ROOT / "service/strings").glob("*.json")
}
RIGHT_TO_LEFT = {"ar", "he"}


def test_axe_finds_nothing_in_any_state(chromium: Make, news: News) -> None:
    page = chromium(has_touch=True)

    def is_fine() -> None:
        assert barriers(page.page, "corrigenda-dialog") == []

    visit(page, news.publish("/axe"))
    page.select("article", "brigde")
    page.inside_dialog("[part=touch]").wait()
    is_fine()
    call(page)
    page.inside_dialog("textarea").fill("bridge")
    is_fine()
    page.inside_dialog("input[name=email]").fill("nobody")
    send(page)
    assert page.inside_dialog("#email-error").text() == "This is not an e-mail address."
    is_fine()
    page.inside_dialog("input[name=email]").fill("reader@example.org")
    news.way.faults["/reports"] = None
    send(page)
    is_said(page, "Not sent")
    is_fine()
    visit(page, news.publish("/axe-2"))
    is_said(page, "has not been sent yet")
    is_fine()
    news.way.faults.clear()
    send(page)
    is_said(page, "Sent")
    is_fine()
    page.inside_dialog("#cancel").click()
    page.evaluate("(Corrigenda.open(), 0)")
    page.inside_dialog("form").wait()
    send(page)
    assert page.inside_dialog("#comment-error").text() == "Please write something."
    is_fine()


def test_the_keyboard_goes_in_and_stays_in(chromium: Make, news: News) -> None:
    page = chromium()
    visit(page, news.publish("/focus", ARTICLE))
    call(page)
    root = "document.querySelector('corrigenda-dialog').shadowRoot"
    seen = []
    for _ in range(8):
        seen.append(page.evaluate(f"{root}.activeElement?.id ?? document.activeElement.localName"))
        page.press("Tab")
    fields = ["suggestion", "comment", "category", "email", "send", "cancel"]
    # Past the last field the dialog itself or the browser's own bar has its turn; the page never has.
    assert seen[:6] == fields
    assert set(seen[6:]) <= {*fields, "", "body"}


def test_a_change_of_help_and_status_is_announced(chromium: Make, news: News) -> None:
    page = chromium()
    visit(page, news.publish("/announced"))
    call(page)
    status = page.evaluate(
        "document.querySelector('corrigenda-dialog').shadowRoot.querySelector('[role=status]').textContent"
    )
    assert status == ""
    page.inside_dialog("textarea").fill("")
    assert page.inside_dialog("#suggestion-help").attribute("aria-live") == "polite"


@pytest.mark.parametrize("size", [(320, 480), (640, 360)])
def test_a_small_or_zoomed_screen_loses_nothing(
    chromium: Make, news: News, size: tuple[int, int]
) -> None:
    page = chromium(viewport={"width": size[0], "height": size[1]})
    visit(page, news.publish("/small"))
    call(page)
    root = "document.querySelector('corrigenda-dialog').shadowRoot"
    assert page.evaluate(
        f"{root}.querySelector('dialog').scrollWidth <= {root}.querySelector('dialog').clientWidth"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ["#suggestion", "#comment", "#category", "#email", "#send", "#cancel"]:
        box = page.inside_dialog(name).box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert 0 <= box["y"] <= size[1] - box["height"]
        assert box["height"] >= 44


def test_forced_colours_keep_borders_and_focus(chromium: Make, news: News) -> None:
    page = chromium(forced_colors="active")
    visit(page, news.publish("/forced"))
    call(page)
    root = "document.querySelector('corrigenda-dialog').shadowRoot"
    style = f"(css, name) => getComputedStyle({root}.querySelector(css))[name]"
    assert page.evaluate(f"({style})('#suggestion', 'outlineStyle')") == "solid"
    assert page.evaluate(f"({style})('#send', 'borderTopStyle')") == "solid"
    page.inside_dialog("textarea").fill("bridge")
    assert "line-through" in page.evaluate(f"({style})('del', 'textDecorationLine')")


def test_every_language_opens_complete_on_a_small_screen(chromium: Make, news: News) -> None:
    page = chromium(viewport={"width": 320, "height": 700})
    assert len(STRINGS) == 13
    for locale, strings in STRINGS.items():
        visit(page, news.publish(f"/in-{locale}", lang=locale))
        call(page)
        names = ["title", "suggestion", "comment", "email_help", "send", "cancel"]
        found = page.evaluate(
            "(({ shadowRoot: root }) => ({"
            "said: ['h2', '[for=suggestion]', '[for=comment]', '#email-help', '#send', '#cancel']"
            ".map((css) => root.querySelector(css).textContent),"
            "categories: [...root.querySelectorAll('option')].map(({ text }) => text),"
            "lang: root.querySelector('dialog').lang, dir: root.querySelector('dialog').dir"
            "}))(document.querySelector('corrigenda-dialog'))"
        )
        categories = [text for name, text in strings.items() if name.startswith("category_")]
        assert found == {
            "said": [strings[name] for name in names],
            "categories": ["–", *categories],
            "lang": found["lang"],
            "dir": "rtl" if locale in RIGHT_TO_LEFT else "ltr",
        }
        assert found["lang"].lower() == locale.lower()
        send(page)
        assert page.inside_dialog("#suggestion-error").text() == strings["unchanged"]
        box = page.inside_dialog("dialog").box()
        assert box["x"] >= 0, locale
        assert box["x"] + box["width"] <= 320, locale
        # One of the longest, one from the right, one without spaces.
        if locale in {"de", "ar", "ja"}:
            assert barriers(page.page, "corrigenda-dialog") == [], locale
