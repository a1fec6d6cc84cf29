"""The demo's pages as people meet them: with a keyboard, a small screen, in the dark, without script."""

import pytest

from tests.browser.barriers import barriers
from tests.browser.engines import Chromium
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

PATHS = ("", "/night-buses", "/library", "/rain", "/about", "/receiver")
STORIES = PATHS[1:4]
ASK = "document.querySelector('[data-corrigenda=support] > corrigenda-support')?.shadowRoot"


def test_pages_have_no_barriers(demo: Demo, chromium: Chromium) -> None:
    reader, found = chromium.another(), []
    for path in PATHS:
        reader.open(f"{demo.url}/demo{path}")
        if path in STORIES:
            reader.wait_for(f"{ASK}.querySelector('[part~=primary]')")
        found += barriers(reader.page)
    assert found == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_pages_fit_the_screen_and_break_no_policy(
    demo: Demo, chromium: Chromium, width: int
) -> None:
    reader = chromium.another(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    reader.page.on("console", lambda message: complaints.append(message.text))
    reader.page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PATHS:
        reader.open(f"{demo.url}/demo{path}")
        assert reader.evaluate("document.documentElement.scrollWidth") == width, path
    assert complaints == []
