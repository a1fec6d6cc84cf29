"""The page-level form as a page of ours: without JavaScript, on a phone, for everyone."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.barriers import barriers
from tests.browser.engines import Chromium
from tests.demo import Demo

pytestmark = pytest.mark.browser


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


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_axe_finds_nothing_in_the_form_and_its_answers(
    chromium: Chromium, demo: Demo, locale: str
) -> None:
    page = chromium.another().page
    page.goto(address(demo, locale=locale))
    assert barriers(page) == []
    page.fill("[name=email]", "nobody")
    page.click("button[type=submit]")
    page.wait_for_selector("#comment-error")
    assert barriers(page) == []
    page.fill("[name=email]", "")
    page.fill("[name=comment]", f"In {locale}.")
    page.click("button[type=submit]")
    page.wait_for_selector(".ways")
    assert barriers(page) == []
