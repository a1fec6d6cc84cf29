"""The two lines beside the asks: the appeal to readers with ad blockers, the rule for quoting. Chromium."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from service.accounts import sites
from service.db import Database
from service.support import lines
from service.support.lines import Lines
from tests.browser.barriers import barriers
from tests.browser.engines import DIALOG, Chromium
from tests.browser.test_desk import hold, wait_for_held
from tests.browser.widget.asking import PLACE, ROOT, THANKS, page_of, places, press, settled
from tests.browser.widget.asking import running as asking
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import call, visit
from tests.browser.widget.test_way import is_said, send

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]

APPEAL = "Please let our notices be seen."
POLICY = "Quote at most 100 characters:"

# Rules in the manner of the lists that blockers come with.
RULES = """
.ad .ads .adv .advert .ad-banner .ad-box .ad-slot .ads-container .adsbox .adsbygoogle .advertisement
.banner-ad .banner_ad .text-ad .sponsored .sponsored-ad .promo .promo-box .donate .donation-banner
.newsletter-popup .cookie-notice .adblock-notice .adblock-warning .anti-adblock .paywall .modal-overlay
#ad #ads #ad-container #banner #overlay #popup #sponsor
[class^="ad-"] [class*="ad-"] [class*="-ad"] [class*="ads_"] [class*="advert"] [class*="adblock"i]
[class*="sponsor"] [class*="promo"] [class*="banner"] [class*="popup"] [class*="overlay"]
[class*="donat"] [class*="support-us"] [class*="subscribe"] [class*="newsletter"] [class*="cookie"]
[id^="ad"] [id*="adblock"i] [id*="banner"] [id*="popup"] [id*="overlay"] [id*="sponsor"]
[data-ad] [data-ad-slot] [data-adblock] [aria-label="advertisement"i] [title*="advert"i]
a[href*="/ads/"] a[href*="utm_source=banner"] img[src*="/ads/"] iframe[src*="ad"]
""".split()  # noqa: SIM905
LISTED = re.compile(
    r"(^|[/_.-])(ads?|adv|advert\w*|banners?|sponsor\w*|promo\w*|pop-?ups?|track\w*|pixel|beacon"
    r"|analytics|metrics|donat\w*|subscri\w*)([/_.-]|$)"
)
"""Words of paths that lists block."""
SHEET = f"{','.join(RULES)} {{ display: none !important }}"
HIDE = f"""addEventListener('DOMContentLoaded', () => {{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync({json.dumps(SHEET)});
  document.adoptedStyleSheets.push(sheet);
}})"""
# A user's style sheet reaches into shadow roots: no element of ours may match, wherever it is.
HIT = f"""(() => {{
  const rules = {json.dumps(RULES)};
  const all = (root) =>
    [...root.querySelectorAll('*')].flatMap((each) => [each, ...(each.shadowRoot ? all(each.shadowRoot) : [])]);
  const ours = [...document.querySelectorAll('corrigenda-support, corrigenda-dialog, [data-corrigenda]')];
  return ours
    .flatMap((each) => [each, ...all(each), ...(each.shadowRoot ? all(each.shadowRoot) : [])])
    .flatMap((each) => rules.filter((rule) => each.matches(rule)).map((rule) => `${{rule}} hits ${{each.outerHTML}}`));
}})()"""


@contextmanager
def running(news: News, **changed: Any) -> Iterator[None]:
    """The site's two lines for as long as a test needs them."""
    database = Database(news.database_url)

    def put(wanted: Lines) -> None:
        with database.write() as session:
            lines.put(
                session,
                sites.find(session, news.key),
                wanted,
                by="admin@news.example",
                now=datetime.now(UTC),
            )

    put(Lines(**changed))
    try:
        yield
    finally:
        put(Lines())
        database.dispose()


def text_of(page: Chromium) -> str | None:
    found: str | None = page.evaluate(f"{ROOT}?.querySelector('p')?.textContent ?? null")
    return found


def is_seen(page: Chromium, root: str) -> bool:
    """Whether an ask's own words can be seen, whatever hides what."""
    return bool(
        page.evaluate(
            f"(({root})?.querySelector('p')?.checkVisibility({{ visibilityProperty: true }}) ?? false)"
        )
    )


def test_appeal_to_all_is_one_line_and_closed_for_good(chromium: Make, news: News) -> None:
    page = chromium()
    with running(news, appeal_to="all", appeal_texts={"en": APPEAL}):
        page.open(page_of(news, "/appeal"))
        page.wait_for(ROOT)
        assert (places(page), text_of(page)) == (["bar"], APPEAL)
        assert page.evaluate(f"{ROOT}.querySelectorAll('a').length") == 0
        press(page, "Close")
        assert places(page) == []
        page.open(page_of(news, "/appeal-next"))
        assert settled(page) == []
        page.evaluate("(Corrigenda.forget(), 0)")
        page.open(page_of(news, "/appeal-last"))
        page.wait_for(ROOT)
        # Where the page switches asks off, or has no place for them, there is none.
        page.open(page_of(news, "/appeal-off", support="off"))
        assert settled(page) == []
        page.open(page_of(news, "/appeal-nowhere", ARTICLE))
        assert settled(page) == []


def test_appeal_to_the_blocked_is_for_who_hides_a_bait(chromium: Make, news: News) -> None:
    page, blocking = chromium(), chromium()
    blocking.page.add_init_script(HIDE)
    with running(news, appeal_to="blocked", appeal_texts={"en": APPEAL}):
        page.open(page_of(news, "/bait"))
        assert settled(page) == []
        blocking.open(page_of(news, "/bait"))
        blocking.wait_for(ROOT)
        assert (is_seen(blocking, ROOT), text_of(blocking)) == (True, APPEAL)
        assert blocking.evaluate(HIT) == []
        # The bait itself is gone again.
        assert page.evaluate("document.querySelector('.adsbox')") is None
        assert blocking.evaluate("document.querySelector('.adsbox')") is None
        press(blocking, "Close")
        blocking.open(page_of(news, "/bait-next"))
        assert settled(blocking) == []


def test_no_rule_of_a_filter_list_hides_what_is_ours(chromium: Make, news: News) -> None:
    page = chromium(has_touch=True)
    page.page.add_init_script(HIDE)
    with asking(news, places=["block", "thanks"], image_url="https://news.example/a.png"):
        report = '<a href="#" data-corrigenda="report">write to us</a>'
        visit(page, page_of(news, "/filtered", ARTICLE + report + PLACE))
        page.wait_for(ROOT)
        page.wait_for("getComputedStyle(document.documentElement).display")
        assert is_seen(page, ROOT)
        page.select("article", "brigde")
        page.inside_dialog("[part=touch]").wait()
        call(page)
        assert page.evaluate(HIT) == []
        page.inside_dialog("textarea").fill("bridge, filtered")
        send(page)
        is_said(page, "Sent")
        page.wait_for(THANKS)
        assert is_seen(page, THANKS)
        assert page.evaluate(HIT) == []
    paths = {path.partition("?")[0] for _, path, _, _ in news.way.seen}
    assert {path.rpartition("/")[2] for path in paths} >= {"widget.js", "dialog.js", "reports"}
    assert [path for path in paths if LISTED.search(path)] == []
    # The rules do hide what they are written for.
    page.evaluate(
        "(document.body.insertAdjacentHTML('beforeend', '<p class=ad-banner>Buy</p>'), 0)"
    )
    assert not page.at(".ad-banner").is_seen()


def test_axe_finds_nothing_in_the_thanks_the_bar_and_the_appeal(chromium: Make, news: News) -> None:
    page = chromium()
    options = {"head": "<style>:root { color-scheme: light dark; background: Canvas }</style>"}
    with (
        running(news, appeal_to="all", appeal_texts={"en": APPEAL}),
        asking(news, places=["thanks", "bar"]),
    ):
        visit(page, page_of(news, "/axe-thanks", **options))
        page.wait_for(ROOT)
        assert (text_of(page), barriers(page.page, "corrigenda-support")) == (APPEAL, [])
        call(page)
        page.inside_dialog("textarea").fill("bridge")
        send(page)
        is_said(page, "Sent")
        page.wait_for(THANKS)
        # One ask at a time: the foot has gone.
        assert places(page) == []
        assert barriers(page.page, "corrigenda-dialog") == []
        visit(page, page_of(news, "/axe-bar", **options))
        page.wait_for(ROOT)
        assert page.evaluate(f"!!{ROOT}.querySelector('h2')")
        assert (places(page), barriers(page.page, "corrigenda-support")) == (["bar"], [])


LONG = "Long words of the article that go on. " * 4
BODY = f"""
<article>
<p id="long">{LONG}<a href="/friday">Friday</a>. <em>Ends.</em></p>
<p id="short">Ninety-nine characters are no reason to add anything.</p>
<pre id="code">{LONG}</pre>
<p>In the text <code id="inline">{LONG}</code> too.</p>
<div id="rich" contenteditable>{LONG}</div>
</article>
<p id="outside">{LONG}</p>
<textarea id="field">{LONG}</textarea>
<link rel="canonical" href="https://news.example/quoted">
"""
LINE = f"{POLICY} https://news.example/quoted"
HEAR = """addEventListener('copy', (event) => {
  window.copied = event.defaultPrevented
    ? ['text/plain', 'text/html'].map((type) => event.clipboardData.getData(type))
    : null;
})"""


def copied(page: Chromium, css: str) -> Any:
    """What a copy of an element's text was changed to, in plain text and in HTML; None: nothing."""
    is_field = page.evaluate(f"document.querySelector('{css}').matches('textarea')")
    if is_field:
        page.evaluate(f"(document.querySelector('{css}').select(), 0)")
    else:
        page.evaluate(f"(getSelection().selectAllChildren(document.querySelector('{css}')), 0)")
    page.evaluate("(window.copied = 'not yet', 0)")
    page.press("Control+c")
    page.wait_for("window.copied !== 'not yet'")
    return page.evaluate("window.copied")


def quoting(page: Chromium) -> None:
    """Let what adds the rule be fetched, and listen after it."""
    page.evaluate("(getSelection().selectAllChildren(document.querySelector('#long')), 0)")
    page.wait_for(
        "performance.getEntriesByType('resource').some(({ name }) => /quotes/.test(name))"
    )
    page.page.wait_for_load_state("networkidle")
    page.evaluate(f"({HEAR}, 0)")


def test_long_copies_get_the_rule_and_the_link_and_nothing_else_does(
    chromium: Make, news: News
) -> None:
    page = chromium()
    with running(news, quote_from=100, quote_texts={"en": POLICY}):
        visit(page, page_of(news, "/quoted", BODY))
        quoting(page)
        plain, html = copied(page, "#long")
        selected = page.selection()
        assert plain == f"{selected}\n\n{LINE}"
        assert html.endswith(
            f'<p>{POLICY} <a href="https://news.example/quoted">https://news.example/quoted</a></p>'
        )
        assert f'<a href="{news.pages.url}/friday">Friday</a>. <em>Ends.</em>' in html
        for css in ("#short", "#code", "#inline", "#rich", "#outside", "#field"):
            assert (css, copied(page, css)) == (css, None)
        # What the page does with copies itself stays as it is.
        page.evaluate("(addEventListener('copy', (e) => e.preventDefault(), { capture: true }), 0)")
        assert copied(page, "#long") == ["", ""]


def test_copies_stay_as_they_are_where_the_rule_is_off(chromium: Make, news: News) -> None:
    page = chromium()
    with asking(news):
        visit(page, page_of(news, "/unquoted", BODY + PLACE))
        page.wait_for(ROOT)
        page.evaluate(f"({HEAR}, 0)")
        assert copied(page, "#long") is None


def test_copy_with_link_is_in_the_menu_of_touch(chromium: Make, news: News) -> None:
    page = chromium(has_touch=True)
    with running(news, quote_from=100, quote_texts={"en": POLICY}):
        visit(page, page_of(news, "/touched", BODY))
        quoting(page)
        page.select("#short", "Ninety-nine characters")
        button = page.inside_dialog("[part=copy]").wait()
        assert button.text() == "Copy with link"
        page.page.touchscreen.tap(
            *(
                button.box()[at] + button.box()[size] / 2
                for at, size in (("x", "width"), ("y", "height"))
            )
        )
        page.wait_for("window.copied")
        assert page.evaluate("window.copied[0]") == f"Ninety-nine characters\n\n{LINE}"
        assert button.text() == "✓ Copy with link"
        # Code gets the link only this way, asked for; what the reader writes has no such button.
        page.select("#inline", "Long words")
        button.click()
        page.wait_until(
            lambda: page.evaluate("window.copied[0]") == f"Long words\n\n{LINE}", "code is copied"
        )


def test_copy_with_link_keeps_its_words_when_the_texts_come_late(
    chromium: Make, news: News
) -> None:
    page = chromium(has_touch=True)
    with running(news, quote_from=100, quote_texts={"en": POLICY}):
        visit(page, page_of(news, "/late", BODY + PLACE))
        held = hold(page.page, "**/widget?*")
        page.select("#short", "Ninety-nine characters")
        page.wait_for(f"{DIALOG}?.querySelector('[part=copy]')")
        wait_for_held(page.page, held)
        held[0].continue_()
        assert page.inside_dialog("[part=copy]").text() == "Copy with link"


def test_copy_in_a_single_page_app_has_the_link_of_the_article_that_is_shown(
    chromium: Make, news: News
) -> None:
    page = chromium()
    with running(news, quote_from=100, quote_texts={"en": POLICY}):
        visit(page, page_of(news, "/quoted-first", BODY))
        quoting(page)
        page.evaluate("(history.pushState(null, '', '/quoted-second'), 0)")
        plain, _ = copied(page, "#long")
    assert plain.endswith(f"{POLICY} {news.pages.url}/quoted-second")
