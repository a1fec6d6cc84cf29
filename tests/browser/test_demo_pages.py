"""The demo's pages as people meet them: with a keyboard, a small screen, in the dark, without script."""

from pathlib import Path

import pytest

from tests.browser.engines import Chromium
from tests.conftest import missing
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
PATHS = ("", "/night-buses", "/library", "/rain", "/about", "/receiver")
STORIES = PATHS[1:4]
ASK = "document.querySelector('[data-corrigenda=support] > corrigenda-support')?.shadowRoot"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_barriers(demo: Demo, chromium: Chromium, scheme: str) -> None:
    if not AXE.is_file():
        missing("Node.js packages are not installed (make check): barriers are not looked for")
    reader = chromium.another(bypass_csp=True, color_scheme=scheme)
    for path in PATHS:
        reader.open(f"{demo.url}/demo{path}")
        if path in STORIES:
            reader.wait_for(f"{ASK}.querySelector('[part~=primary]')")
        reader.page.evaluate(AXE.read_text())
        found = reader.page.evaluate("(rules) => axe.run({ runOnly: rules })", RULES)
        assert len(found["passes"]) > 20
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], path


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
