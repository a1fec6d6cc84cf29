"""What stands in somebody's way on a page: axe-core, by WCAG 2.2 AA and its own good practice."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.engines import ROOT
from tests.conftest import missing

AXE = ROOT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """([css, runOnly]) => axe.run(css ? document.querySelector(css) : document, {
  runOnly, resultTypes: ['violations'], preload: false
})"""


def barriers(page: Page, css: str | None = None) -> list[str]:
    """What axe finds wrong in the page, or in one element of it, in the light and in the dark.

    The dark changes nothing but colours: only what depends on them is looked for twice.
    """
    if not AXE.exists():
        missing("axe-core is not installed (npm ci): the check for barriers is skipped")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = []
    for scheme, rules in (("light", RULES), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        answer: dict[str, Any] = page.evaluate(RUN, [css, rules])
        assert answer["passes"] or answer["incomplete"], f"{page.url}: {scheme} was not looked at"
        found += [
            f"{scheme} {page.url} {each['id']} {[node['html'] for node in each['nodes']]}"
            for each in answer["violations"]
        ]
    page.emulate_media(color_scheme="no-override", reduced_motion="no-override")
    return found
