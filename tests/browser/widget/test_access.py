"""The dialog for everyone: assistive technology, small screens, every language. Chromium and axe-core."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.engines import ROOT, Chromium, required
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import call, visit
from tests.browser.widget.test_way import is_said, send

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]

AXE = ROOT / "node_modules/axe-core/axe.min.js"
STRINGS = {
    file.stem: json.loads(file.read_text()) for file in (ROOT / "service/strings").glob("*.json")
}
RIGHT_TO_LEFT = {"ar", "he"}


@pytest.fixture
def axe() -> Path:
    if not AXE.exists():
        if required():
            pytest.fail("axe-core is not installed (npm ci)")
        pytest.skip("axe-core is not installed (npm ci)")
    return AXE


def violations(page: Chromium, axe: Path) -> list[Any]:
    """What axe finds wrong by WCAG 2.2 AA and its own good practice, in the dialog."""
    page.page.add_script_tag(content=axe.read_text())
    found: list[Any] = page.evaluate(
        "axe.run(document.querySelector('corrigenda-dialog'), { runOnly: "
        "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
        ".then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map((n) => n.html)]))"
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(chromium: Make, news: News, axe: Path, scheme: str) -> None:
    page = chromium(color_scheme=scheme, has_touch=True)
    visit(
        page, news.publish("/axe", ARTICLE + '<a href="#" data-corrigenda="report">write to us</a>')
    )
    page.select("article", "brigde")
    page.inside_dialog("[part=touch]").wait()
    assert violations(page, axe) == []
    call(page)
    page.inside_dialog("textarea").fill("bridge")
    assert violations(page, axe) == []
    page.inside_dialog("input[name=email]").fill("nobody")
    send(page)
    assert page.inside_dialog("#email-error").text() == "This is not an e-mail address."
    assert violations(page, axe) == []
    page.inside_dialog("input[name=email]").fill("reader@example.org")
    news.way.faults["/reports"] = None
    send(page)
    is_said(page, "Not sent")
    assert violations(page, axe) == []
    visit(page, news.publish("/axe-2"))
    is_said(page, "has not been sent yet")
    assert violations(page, axe) == []
    news.way.faults.clear()
    send(page)
    is_said(page, "Sent")
    assert violations(page, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_page_level_form(
    chromium: Make, news: News, axe: Path, scheme: str
) -> None:
    page = chromium(color_scheme=scheme)
    visit(page, news.publish("/axe-page", ARTICLE))
    page.evaluate("(Corrigenda.open(), 0)")
    page.inside_dialog("form").wait()
    send(page)
    assert violations(page, axe) == []


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


@pytest.mark.parametrize("locale", sorted(STRINGS))
def test_every_language_opens_complete_and_in_its_direction(
    chromium: Make, news: News, locale: str, axe: Path
) -> None:
    page = chromium(viewport={"width": 320, "height": 700})
    visit(page, news.publish(f"/in-{locale}", lang=locale))
    call(page)
    strings = STRINGS[locale]
    for css, name in [("h2", "title"), ("[for=suggestion]", "suggestion"), ("[for=comment]", "comment"),
                      ("#email-help", "email_help"), ("#send", "send"), ("#cancel", "cancel")]:  # fmt: skip
        assert page.inside_dialog(css).text() == strings[name]
    assert page.inside_dialog("dialog").attribute("dir") == (
        "rtl" if locale in RIGHT_TO_LEFT else "ltr"
    )
    assert (page.inside_dialog("dialog").attribute("lang") or "").lower() == locale.lower()
    names = page.evaluate(
        "[...document.querySelector('corrigenda-dialog').shadowRoot.querySelectorAll('option')].map((o) => o.text)"
    )
    assert names == ["–", *(text for name, text in strings.items() if name.startswith("category_"))]
    send(page)
    assert page.inside_dialog("#suggestion-error").text() == strings["unchanged"]
    box = page.inside_dialog("dialog").box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert violations(page, axe) == []
