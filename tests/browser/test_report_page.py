"""The page-level form as a page of ours: without JavaScript, on a phone, for everyone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.engines import ROOT, Chromium
from tests.conftest import missing
from tests.demo import Demo

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules/axe-core/axe.min.js"
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"


@pytest.fixture
def plain(chromium: Chromium) -> Iterator[Any]:
    """A browser without JavaScript, 320 px wide."""
    made = chromium.another(java_script_enabled=False, viewport={"width": 320, "height": 640})
    yield made.page
    made.close()


def address(demo: Demo, **query: str) -> str:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return f"{demo.url}/report/demo?url={demo.url}/demo/rain{more}"


def test_reader_without_javascript_writes_and_follows(plain: Any, demo: Demo) -> None:
    plain.goto(address(demo))
    plain.fill("[name=email]", "nobody")
    plain.click("button[type=submit]")
    assert plain.text_content("#comment-error") == "Please write something."
    assert plain.text_content("#email-error") == "This is not an e-mail address."
    assert plain.input_value("[name=email]") == "nobody"
    plain.fill("[name=email]", "")
    plain.fill("[name=comment]", "The second picture is upside down.")
    plain.select_option("[name=category]", "fact")
    plain.click("button[type=submit]")
    assert plain.text_content("h1") == "Sent. Thank you!"
    plain.reload()
    assert plain.text_content("h1") == "Sent. Thank you!"
    assert "/sent/" in plain.url
    back = plain.get_attribute("text=Back to the article", "href")
    assert back == f"{demo.url}/demo/rain"
    plain.click("text=See what becomes of it")
    plain.wait_for_url("**/r/*")
    assert "Received" in plain.text_content("main")


def test_form_fits_a_small_screen(plain: Any, demo: Demo) -> None:
    for locale in ("en", "de", "ar"):
        plain.goto(address(demo, locale=locale))
        for box in (
            plain.locator(css).bounding_box() for css in ("h1", "#comment", "#email", "button")
        ):
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320
        button = plain.locator("button").bounding_box()
        assert button["height"] >= 40
        message = plain.locator("#comment")
        assert message.bounding_box()["height"] >= 120
        # Smaller letters make a telephone zoom in.
        assert message.evaluate("(field) => parseFloat(getComputedStyle(field).fontSize)") >= 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_axe_finds_nothing_in_the_form_and_its_answers(
    chromium: Chromium, demo: Demo, locale: str, scheme: str
) -> None:
    if not AXE.exists():
        missing("axe-core is not installed (npm ci): the check for barriers is skipped")
    other = chromium.another(color_scheme=scheme, bypass_csp=True)
    page = other.page

    def violations() -> list[Any]:
        page.add_script_tag(content=Path(AXE).read_text())
        found: list[Any] = page.evaluate(
            f"axe.run({{ runOnly: {RULES} }}).then(({{ violations }}) => "
            "violations.map(({ id, nodes }) => [id, nodes.map((n) => n.html)]))"
        )
        return found

    page.goto(address(demo, locale=locale))
    assert violations() == []
    page.fill("[name=email]", "nobody")
    page.click("button[type=submit]")
    page.wait_for_selector("#comment-error")
    assert violations() == []
    page.fill("[name=email]", "")
    page.fill("[name=comment]", f"In {locale}, {scheme}.")
    page.click("button[type=submit]")
    page.wait_for_selector(".ways")
    assert violations() == []
    other.close()
