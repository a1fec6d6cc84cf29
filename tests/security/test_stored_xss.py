"""Whatever readers and editors write is only text, on every page, in a real browser.

The pages are opened with their content policy switched off: escaping alone must hold. Then some are
opened with it, and nothing may break a rule of it.
"""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask

from tests.browser.engines import Chromium
from tests.conftest import Say
from tests.demo import Demo
from tests.security.attacked import (
    GROUPS,
    Attacked,
    addresses,
    call,
    echoes,
    pages,
    readable,
    unnamed_writes,
)
from tests.security.payloads import SCRIPTS
from tests.security.tally import Tally

# One service is attacked for all of them.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stored XSS")]

ROW = "stored XSS"

STRANGE = """() => [...document.querySelectorAll('*')].filter((element) => {
  const name = element.localName;
  const source = element.getAttribute('src') ?? '';
  if (['iframe', 'object', 'embed', 'base', 'style', 'math', 'video', 'audio', 'marquee', 'xss', 'x',
       'mglyph', 'noscript', 'corrigenda-dialog'].includes(name)) return true;
  // Plots and drawings of our own say what they are; no payload does.
  if (name === 'svg' && element.getAttribute('role') !== 'img' && !['drawing', 'measure'].includes(element.classList[0])) return true;
  if (name === 'script' && element.type === 'application/ld+json') return !JSON.parse(element.text)['@context'];
  const own = ['/static/', `${location.origin}/api/v1/sites/demo/places.js?`];
  if (['img', 'script'].includes(name) && !own.some((each) => source.startsWith(each))) return true;
  if (name === 'meta' && element.hasAttribute('http-equiv')) return true;
  if (name === 'link' && !['alternate', 'canonical', 'icon', 'stylesheet'].includes(element.rel)) return true;
  return [...element.attributes].some(({ name, value }) =>
    /^on|^style$|^srcdoc$/i.test(name)
    // Our own: where a form begins, and where something is wrong with it.
    || /^autofocus$/i.test(name)
      && !element.matches('[name=email], [name=password], [aria-invalid=true], .refusal')
    || /^(href|xlink:href|src|action|formaction|data|poster)$/.test(name)
      && !/^(https?:\\/\\/127\\.0\\.0\\.1[:/]|\\/(?!\\/)|#|data:,$|$)/.test(value));
}).map((element) => element.outerHTML.slice(0, 200))"""

DATA = {
    "application/atom+xml; charset=utf-8",
    "application/feed+json",
    "application/json",
    "application/jsonl; charset=utf-8",
    "application/problem+json",
    "application/xml; charset=utf-8",
    "text/csv; charset=utf-8",
    "text/javascript; charset=utf-8",
}
"""No browser shows these as a page."""

TRAP = """
  window.pwned = 0;
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(event.violatedDirective + ' ' + event.sample));
"""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with Demo(tmp_path_factory.mktemp("demo"), REPORT_LIMITS="100000/minute") as demo:
        yield Attacked(demo)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def signed_in(browser: Chromium, attacked: Attacked, **options: Any) -> tuple[Any, list[str]]:
    """A page of an editor, and the list that every dialog ends in."""
    page = browser.another(**options).page
    dialogs: list[str] = []

    def shut(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", shut)
    page.add_init_script(TRAP)
    page.goto(f"{attacked.demo.url}/login")
    page.fill("[name=email]", attacked.demo.email)
    page.fill("[name=password]", attacked.demo.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/review*")
    return page, dialogs


def test_every_route_that_takes_words_was_used(app: Flask) -> None:
    assert unnamed_writes(app.url_map) == set()


def test_nothing_runs_on_any_page_even_without_the_content_policy(
    app: Flask, attacked: Attacked, chromium: Chromium, tally: Tally, say: Say
) -> None:
    began = time.perf_counter()
    page, dialogs = signed_in(chromium, attacked, bypass_csp=True)
    # The trap works: what is not escaped does run here.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    chromium.wait_until(lambda: page.evaluate("1") and dialogs, "the trap shuts")
    assert len(page.evaluate(STRANGE)) == 1
    dialogs.clear()
    done = attacked.given["correction_id"][0]
    opened = [
        *pages(app.url_map, attacked),
        f"/review?done={done}",
        "/demo",
        "/demo/rain",
        *echoes(),
    ]
    for path in opened:
        page.goto(attacked.demo.url + path)
        strange = page.evaluate(STRANGE)
        held = not dialogs and not page.evaluate("window.pwned") and not strange
        for _ in range(len(SCRIPTS) // len(GROUPS)):
            tally.add((path, dialogs, strange), held=held)
        dialogs.clear()
    for payload in GROUPS:
        # A form that was refused comes back as it was written.
        page.goto(f"{attacked.demo.url}/report/demo")
        for name in ("url", "comment", "email"):
            page.evaluate(
                "([name, value]) => document.forms[0].elements[name].value = value",
                [name, payload],
            )
        page.evaluate("document.forms[0].noValidate = true")
        page.click("button[type=submit]")
        assert page.input_value("[name=comment]").splitlines() == payload.splitlines()
        tally.add(("form", payload), held=not dialogs and not page.evaluate(STRANGE))
        dialogs.clear()
    # What the receiver's own script puts in as it comes.
    page.goto(f"{attacked.demo.url}/demo/receiver")
    page.wait_for_function(f"document.querySelectorAll('.arrival').length >= {len(GROUPS)}")
    tally.add("arrivals", held=not dialogs and not page.evaluate(STRANGE))
    say(
        f"stored XSS: {len(SCRIPTS)} texts in {len(opened)} pages in {time.perf_counter() - began:.0f} s"
    )


def test_form_for_readers_gives_words_back_as_words(
    attacked: Attacked, chromium: Chromium, tally: Tally
) -> None:
    page, dialogs = signed_in(chromium, attacked, bypass_csp=True)
    form = f"{attacked.demo.url}/report/demo?url={attacked.demo.url}"
    for payload in GROUPS:
        page.goto(f"{form}/{quote(quote(payload))}")
        for email, title in (
            (payload.split("\n")[0], "Write to the editors"),
            ("", "Sent. Thank you!"),
        ):
            page.fill("[name=comment]", payload)
            page.fill("[name=email]", email)
            with page.expect_navigation():
                page.click("button[type=submit]")
            assert page.text_content("h1") == title
            strange = page.evaluate(STRANGE)
            tally.add((payload, title, strange), held=not dialogs and not strange)


def test_pages_keep_to_their_own_content_policy(
    app: Flask, attacked: Attacked, chromium: Chromium
) -> None:
    page, _ = signed_in(chromium, attacked)
    # One of each is enough: the policy does not depend on the words.
    kinds = {
        rule.endpoint: path
        for rule in readable(app.url_map, api=False)
        for path in islice(addresses(rule, attacked), 1)
    }
    for path in (*kinds.values(), "/demo/receiver", "/nothing"):
        page.goto(attacked.demo.url + path)
        page.wait_for_timeout(50)
        assert (path, page.evaluate("window.violations")) == (path, [])


def test_words_are_shown_as_they_were_written(attacked: Attacked, chromium: Chromium) -> None:
    """Text only, and all of the text: nothing is stripped or unescaped twice."""
    page, _ = signed_in(chromium, attacked)
    for correction_id, text in zip(attacked.given["correction_id"], GROUPS, strict=True):
        page.goto(f"{attacked.demo.url}/review/{correction_id}")
        shown = page.evaluate("document.querySelector('.comment').textContent")
        assert text.replace("\u202e", "").replace("\u00ad", "") in shown.replace("RLO", "").replace(
            "SHY", ""
        )


def test_api_answers_are_never_pages(app: Flask, attacked: Attacked, tally: Tally) -> None:
    accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
    paths = [*pages(app.url_map, attacked, api=True), "/openapi.json", "/api/v1/nothing/<img>"]
    paths += [f"/api/v1/sites/{quote(text, safe='')}/widget" for text in GROUPS]
    permalinks = attacked.given["publication_id"]
    paths += [
        "/record/demo/oembed?" + urlencode({"url": f"{attacked.demo.url}/record/demo/{each}"})
        for each in permalinks
    ]
    paths += [f"/api/v1/corrections?{urlencode({'state': text})}" for text in GROUPS]
    for path in paths:
        _, _, kind = call(attacked.demo.url + path, Accept=accept, **attacked.bearer)
        tally.add((path, kind), held=kind in DATA)
