"""Places on the page: one cacheable question, and the published corrections of the article."""

import base64
import hashlib
import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route

from tests.browser.barriers import barriers
from tests.browser.engines import ROOT as FOLDER
from tests.browser.engines import Chromium, Engine
from tests.browser.widget.asking import PLACE as ASKS
from tests.browser.widget.asking import running
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import HOSTILE, policies, requested

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]

PLACE = '<div data-corrigenda="corrections"></div>'
ROOT = "document.querySelector('corrigenda-corrections').shadowRoot"


def ask(news: News, method: str, path: str, sent: Any, **headers: str) -> Any:
    request = urllib.request.Request(
        f"{news.way.url}/api/v1{path}",
        json.dumps(sent).encode(),
        {"Content-Type": "application/json", **headers},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def correct(news: News, address: str, **publication: str) -> None:
    """A correction of the article, published."""
    quote = {"type": "TextQuoteSelector", "exact": "brigde", "prefix": "The new "}
    report = {"target": {"source": address, "selector": [quote]}, "suggestion": "bridge"}
    headers = {"Origin": news.pages.url, "Idempotency-Key": address}
    made = ask(news, "POST", f"/sites/{news.key}/reports", report, **headers)
    bearer = {"Authorization": f"Bearer {news.token}"}
    path = f"/corrections/{made['correction_id']}"
    ask(news, "POST", f"{path}/moves", {"to": "fixed"}, **bearer)
    sent = {"kind": "correction", "said": "brigde", "says": "bridge", "note": "", "thanks": ""}
    ask(news, "PUT", f"{path}/publication", {**sent, **publication}, **bearer)
    news.way.reset()


def go(page: Chromium, news: News, address: str) -> None:
    """Another article of a single-page app, which says so."""
    path = address.removeprefix(news.pages.url)
    page.evaluate(
        f"(history.pushState(null, '', '{path}'), document.dispatchEvent(new Event('corrigenda:places')), 0)"
    )


def shown(engine: Engine) -> str:
    engine.wait_for("document.querySelector('corrigenda-corrections')")
    return str(engine.evaluate(f"{ROOT}.textContent"))


@pytest.mark.parametrize("name", ["support", "corrections"])
def test_page_with_an_empty_place_asks_one_cacheable_question(
    chromium: Make, news: News, name: str
) -> None:
    page = chromium()
    address = news.publish(f"/empty-{name}", f'{ARTICLE}<div data-corrigenda="{name}"></div>')
    with page.page.expect_response("**/api/**") as answered:
        page.open(address)
    answer = answered.value
    page.page.wait_for_timeout(200)
    assert requested(news) == ["widget.js", "places.js"]
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["etag"]
    page.select("article", "brigde")
    page.press("Control+Enter")
    page.inside_dialog("form").wait()
    assert sorted(requested(news)[2:]) == ["dialog.js", "widget"]


def test_published_corrections_are_shown_where_the_page_has_a_place(
    engine: Engine, news: News
) -> None:
    address = news.publish(f"/corrected-{engine.name}", ARTICLE + PLACE)
    correct(news, address, note="A letter was out of place.")
    engine.open(address)
    text = shown(engine)
    for words in ("Corrections to this article", "Correction", "brigde", "bridge",
                  "A letter was out of place.", "All corrections"):  # fmt: skip
        assert words in text
    assert requested(news) == ["widget.js", "places.js"]
    links = engine.evaluate(f"[...{ROOT}.querySelectorAll('a')].map((a) => a.href).join(' ')")
    assert f"/record/{news.key}" in links
    data = json.loads(
        engine.evaluate("document.querySelector('[type=\"application/ld+json\"]').textContent")
    )
    assert data["@type"] == "Article"
    assert data["url"] == address
    [comment] = data["correction"]
    assert comment["@type"] == "CorrectionComment"
    assert comment["text"] == "A letter was out of place."


def test_corrections_speak_the_pages_language(chromium: Make, news: News) -> None:
    address = news.publish("/corrected-ar", ARTICLE + PLACE, lang="ar")
    correct(news, address)
    page = chromium()
    page.open(address)
    assert "تصويبات هذا المقال" in shown(page)
    assert page.evaluate(f"getComputedStyle({ROOT}.querySelector('section')).direction") == "rtl"


def test_strict_policies_and_hostile_styles_leave_the_corrections_whole(
    chromium: Make, news: News
) -> None:
    host = news.way.url
    policy = (
        f"default-src 'none'; script-src {host}; connect-src {host}; style-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types corrigenda"
    )
    hostile = HOSTILE.replace("body *:not(article, article *)", "corrigenda-corrections")
    pages = news.pages.put("/hostile.css", hostile, {"Content-Type": "text/css"})
    address = news.publish(
        "/corrected-strict",
        ARTICLE.replace("</article>", f"{PLACE}</article>"),
        head=f'<link rel="stylesheet" href="{pages}">',
        headers={"Content-Security-Policy": policy},
    )
    correct(
        news, address, note="</script><script>window.pwned = 1</script><img src=x onerror=pwned=1>"
    )
    page = chromium()
    page.page.add_init_script(
        "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective))"
    )
    page.open(address)
    assert "</script><script>window.pwned" in shown(page)
    assert page.evaluate("window.broken") == []
    assert page.evaluate("window.pwned") is None
    data = page.evaluate("document.querySelector('[type=\"application/ld+json\"]').textContent")
    assert "</script>" in json.loads(data)["correction"][0]["text"]
    size = page.evaluate(f"getComputedStyle({ROOT}.querySelector('p')).fontSize")
    assert size == "16px"


def test_axe_finds_nothing_in_the_corrections(chromium: Make, news: News) -> None:
    head = "<style>:root { color-scheme: light dark; background: Canvas }</style>"
    address = news.publish("/corrected", ARTICLE + PLACE, head=head)
    correct(news, address)
    page = chromium()
    page.open(address)
    shown(page)
    assert barriers(page.page, "corrigenda-corrections") == []


def test_single_page_app_has_its_next_place_filled(chromium: Make, news: News) -> None:
    first = news.publish("/app-first", ARTICLE + PLACE)
    second = news.publish("/app-second", ARTICLE + PLACE)
    correct(news, second, note="Only the second.")
    page = chromium()
    page.open(first)
    page.wait_until(lambda: requested(news) == ["widget.js", "places.js"], "the first is asked for")
    go(page, news, second)
    assert "Only the second." in shown(page)
    # The same place stays on the page; what it showed was of another article.
    go(page, news, first)
    page.wait_for("!document.querySelector('corrigenda-corrections')")


def test_canonical_link_left_behind_by_a_single_page_app_brings_nothing(
    chromium: Make, news: News
) -> None:
    first = news.publish(
        "/left-first", ARTICLE + PLACE, head='<link rel=canonical href="/left-first">'
    )
    second = news.publish("/left-second", ARTICLE + PLACE)
    correct(news, first, note="Only the first.")
    correct(news, second, note="Only the second.")
    page = chromium()
    page.open(first)
    assert "Only the first." in shown(page)
    go(page, news, second)
    page.wait_for(f"{ROOT}.textContent.includes('Only the second.')")
    data = page.evaluate("document.querySelector('[type=\"application/ld+json\"]').textContent")
    assert json.loads(data)["url"] == second


def test_answer_that_a_later_question_overtook_shows_nothing(chromium: Make, news: News) -> None:
    first = news.publish("/app-late", ARTICLE + PLACE)
    second = news.publish("/app-early", ARTICLE + PLACE)
    correct(news, first, note="Only the first.")
    correct(news, second, note="Only the second.")
    page = chromium()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    is_late = re.compile(r"/places\.js\?.*app-late")
    page.page.route(is_late, hold)
    with page.page.expect_request(is_late):
        page.page.goto(first, wait_until="domcontentloaded")
    go(page, news, second)
    assert "Only the second." in shown(page)
    with page.page.expect_response(is_late) as late:
        held[0].continue_()
    late.value.finished()
    page.evaluate("new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")
    assert "Only the second." in shown(page)


def test_strict_policies_let_the_places_be_filled_in_every_engine(
    engine: Engine, news: News
) -> None:
    script = news.script().replace("<script ", '<script nonce="abc" ')
    for name, policy in policies(news.way.url).items():
        path = f"/places-{name}-{engine.name}"
        headers = {"Content-Security-Policy": policy}
        address = news.publish(path, ARTICLE + PLACE, script=script, headers=headers)
        correct(news, address, note=f"By {name}.")
        engine.open(address)
        assert f"By {name}." in shown(engine)


def test_pinned_page_pins_what_fills_its_places(chromium: Make, news: News) -> None:
    digest = base64.b64encode(hashlib.sha256((FOLDER / "static/widget.js").read_bytes()).digest())
    pinned = news.script().replace(
        "async", f'integrity="sha256-{digest.decode()}" crossorigin="anonymous" async'
    )
    address = news.publish("/places-pinned", ARTICLE + PLACE + ASKS, script=pinned)
    correct(news, address, note="Pinned.")
    page = chromium()
    with running(news):
        page.open(address)
        assert "Pinned." in shown(page)
        page.wait_for("document.querySelector('corrigenda-support')")
    assert sorted(requested(news)) == ["places.js", "support.js", "widget", "widget.js"]
    pins = page.evaluate("[...document.head.querySelectorAll('script')].map((s) => s.integrity)")
    assert [pin[:7] for pin in pins] == ["sha256-", "sha256-"]


def test_reader_without_the_service_sees_an_empty_place(chromium: Make, news: News) -> None:
    page = chromium()
    failed: list[str] = []
    page.page.on("pageerror", lambda error: failed.append(str(error)))
    page.page.route("**/api/**", lambda route: route.abort())
    page.open(news.publish("/corrected-away", ARTICLE + PLACE))
    page.wait_for("window.Corrigenda")
    page.page.wait_for_timeout(200)
    assert page.evaluate("document.querySelector('[data-corrigenda=corrections]').innerHTML") == ""
    assert failed == []
