"""Whatever readers and editors write is only text, on every page, in a real browser.

The pages are opened with their content policy switched off: escaping alone must hold. Then some are
opened with it, and nothing may break a rule of it.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.browser.engines import Chromium, EngineMissing
from tests.conftest import Say, missing
from tests.demo import Demo
from tests.processes import run, run_json
from tests.security.payloads import SCRIPTS
from tests.security.tally import Tally

pytestmark = pytest.mark.browser

ROW = "stored XSS"

STRANGE = """() => [...document.querySelectorAll('*')].filter((element) => {
  const name = element.localName;
  const source = element.getAttribute('src') ?? '';
  if (['iframe', 'object', 'embed', 'base', 'style', 'math', 'svg', 'video', 'audio', 'marquee', 'xss', 'x',
       'mglyph', 'noscript', 'corrigenda-dialog'].includes(name)) return true;
  if (['img', 'script'].includes(name) && !source.startsWith('/static/')) return true;
  if (name === 'meta' && element.hasAttribute('http-equiv')) return true;
  if (name === 'link' && !['canonical', 'icon', 'stylesheet'].includes(element.rel)) return true;
  return [...element.attributes].some(({ name, value }) =>
    /^on|^style$|^srcdoc$|^autofocus$/i.test(name) && element.name !== 'email'
    && element.name !== 'password'
    || /^(href|src|action|formaction|data|poster)$/.test(name)
      && !/^(https?:\\/\\/127\\.0\\.0\\.1[:/]|\\/(?!\\/)|#|data:,$|$)/.test(value));
}).map((element) => element.outerHTML.slice(0, 200))"""

TRAP = """
  window.pwned = 0;
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(event.violatedDirective + ' ' + event.sample));
"""


def call(url: str, method: str = "GET", sent: Any = None, **headers: str) -> tuple[int, Any, str]:
    """Status, parsed body, media type."""
    request = urllib.request.Request(
        url,
        json.dumps(sent).encode() if sent is not None else None,
        {"Content-Type": "application/json", **headers},
        method=method,
    )
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        text = answer.read().decode()
        kind = answer.headers["Content-Type"]
        return answer.status, json.loads(text) if "json" in kind else text, kind


def grouped(limit: int) -> list[str]:
    """The payloads, as many in one text as an excerpt may hold: fewer pages to open."""
    groups = [""]
    for payload in SCRIPTS:
        if len(groups[-1]) + len(payload) >= limit:
            groups.append("")
        groups[-1] += payload + "\n"
    return [group.strip() for group in groups]


GROUPS = grouped(400)


class Desk:
    """A demo whose every text is an attack."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        made = run_json(
            [
                "token",
                "create",
                "--site",
                "demo",
                "--scope",
                "read,review,publish,admin",
                "--name",
                "<img/src=x/onerror=alert(1)>",
            ],
            demo.env,
        )
        self.bearer = {"Authorization": f"Bearer {made['token']}"}
        assert (
            run(
                ["site", "set", "demo", "--name", '"><img src=x onerror=alert(1)>'], demo.env
            ).returncode
            == 0
        )
        email = "<svg/onload=alert(1)>@news.example"
        added = run(
            ["editor", "create", email, "--site", "demo"], demo.env, stdin="a password for tests\n"
        )
        assert added.returncode == 0, added.stderr
        self.email = email
        self.receipts: list[str] = []
        self.ids: list[str] = []
        for number, payload in enumerate(GROUPS):
            self.report(number, payload)
            self.decide(number, payload)

    def report(self, number: int, payload: str) -> None:
        origin = self.demo.url
        quoted = {
            "type": "TextQuoteSelector",
            "exact": payload,
            "prefix": payload[:128],
            "suffix": payload[:128],
        }
        body = {
            "target": {
                "source": f"{origin}/demo/{number}",
                "canonical": f"{origin}/demo/{quote(payload, safe='')}",
                "title": payload,
                "lang": "en",
                "selector": [quoted] if number % 5 else None,
            },
            "suggestion": f"{payload} changed" if number % 5 else None,
            "comment": payload,
            "email": "a'onload=alert`1`@news.example",
        }
        status, answer, _ = call(
            f"{origin}/api/v1/sites/demo/reports",
            "POST",
            body,
            Origin=origin,
            **{"Idempotency-Key": f"x{number}"},
        )
        assert status == 201, answer
        self.receipts.append(answer["receipt_url"])
        self.ids.append(answer["correction_id"])

    def decide(self, number: int, payload: str) -> None:
        """Half stay new, with a public note; the others are moved about."""
        at = f"{self.demo.url}/api/v1/corrections/{self.ids[number]}"
        changes: dict[str, object] = {"public_note": payload}
        if number == 0:
            changes["assignee"] = self.email
        assert call(at, "PATCH", changes, **self.bearer)[0] == 200
        moves: list[dict[str, object]] = [
            {},
            {"to": "accepted", "suggestion": payload},
            {"to": "rejected"},
            {"to": "fixed", "suggestion": payload},
            {"to": "spam"},
        ]
        move = moves[number % len(moves)]
        if move:
            status, answer, _ = call(
                f"{at}/moves",
                "POST",
                {**move, "reason": payload, "public_note": payload},
                **self.bearer,
            )
            assert status == 200, answer

    def pages(self) -> Iterator[str]:
        for state in ("new", "accepted", "fixed", "rejected", "spam"):
            yield f"/review?limit=200&state={state}"
        for correction_id in self.ids:
            yield f"/review/{correction_id}?next=/review"
        for url in self.receipts:
            yield url.removeprefix(self.demo.url)
        yield from ("/docs", "/", "/demo/receiver", f"/review?done={self.ids[0]}")

    def echoes(self) -> Iterator[str]:
        """Pages that show what the address says."""
        for payload in GROUPS:
            yield "/review?" + urlencode(
                {"q": payload[:200], "article": payload, "assignee": payload[:254]}
            )
            yield "/review?" + urlencode({"state": payload})
            yield "/login?" + urlencode({"next": "/" + payload})
            yield "/r/" + quote(payload, safe="")
            yield "/" + quote(payload, safe="")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Demo(tmp_path_factory.mktemp("demo"), REPORT_LIMITS="100000/minute") as demo:
        yield Desk(demo)


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    try:
        browser = Chromium()
    except EngineMissing as reason:
        missing(str(reason))
        raise
    yield browser
    browser.close()


def signed_in(browser: Chromium, desk: Desk, **options: Any) -> tuple[Any, list[str]]:
    """A page of an editor, and the list that every dialog ends in."""
    page = browser.another(**options).page
    dialogs: list[str] = []

    def shut(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", shut)
    page.add_init_script(TRAP)
    page.goto(f"{desk.demo.url}/login")
    page.fill("[name=email]", desk.demo.email)
    page.fill("[name=password]", desk.demo.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/review*")
    return page, dialogs


def test_nothing_runs_on_any_page_even_without_the_content_policy(
    desk: Desk, chromium: Chromium, tally: Tally, say: Say
) -> None:
    began = time.perf_counter()
    page, dialogs = signed_in(chromium, desk, bypass_csp=True)
    # The trap works: what is not escaped does run here.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    chromium.wait_until(lambda: page.evaluate("1") and dialogs, "the trap shuts")
    assert len(page.evaluate(STRANGE)) == 1
    dialogs.clear()
    opened = [*desk.pages(), *desk.echoes()]
    for path in opened:
        page.goto(desk.demo.url + path)
        strange = page.evaluate(STRANGE)
        held = not dialogs and not page.evaluate("window.pwned") and not strange
        for _ in range(len(SCRIPTS) // len(GROUPS)):
            tally.add((path, dialogs, strange), held=held)
        dialogs.clear()
    # What the receiver's own script puts in as it comes.
    page.goto(f"{desk.demo.url}/demo/receiver")
    page.wait_for_function(f"document.querySelectorAll('.arrival').length >= {len(GROUPS)}")
    tally.add("arrivals", held=not dialogs and not page.evaluate(STRANGE))
    say(
        f"stored XSS: {len(SCRIPTS)} texts in {len(opened)} pages in {time.perf_counter() - began:.0f} s"
    )


def test_pages_keep_to_their_own_content_policy(desk: Desk, chromium: Chromium) -> None:
    page, _ = signed_in(chromium, desk)
    for path in (
        "/review?limit=200",
        f"/review/{desk.ids[0]}",
        desk.receipts[0].removeprefix(desk.demo.url),
        "/docs",
        "/",
        "/login",
        "/demo/receiver",
        "/nothing",
    ):
        page.goto(desk.demo.url + path)
        page.wait_for_timeout(50)
        assert (path, page.evaluate("window.violations")) == (path, [])


def test_words_are_shown_as_they_were_written(desk: Desk, chromium: Chromium) -> None:
    """Text only, and all of the text: nothing is stripped or unescaped twice."""
    page, _ = signed_in(chromium, desk)
    for correction_id, text in zip(desk.ids, GROUPS, strict=True):
        page.goto(f"{desk.demo.url}/review/{correction_id}")
        shown = page.evaluate("document.querySelector('.comment').textContent")
        assert text.replace("\u202e", "").replace("\u00ad", "") in shown.replace("RLO", "").replace(
            "SHY", ""
        )


def test_api_answers_are_never_pages(desk: Desk, tally: Tally) -> None:
    accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
    origin = desk.demo.url
    paths = [
        "/api/v1/corrections?limit=200",
        "/api/v1/webhooks",
        "/openapi.json",
        "/api/v1/nothing/<img>",
    ]
    paths += [f"/api/v1/corrections/{one}" for one in desk.ids]
    paths += [f"/api/v1/receipts/{url.rpartition('/')[2]}" for url in desk.receipts]
    paths += [f"/api/v1/sites/{quote(text, safe='')}/widget" for text in GROUPS]
    paths += [f"/api/v1/corrections?{urlencode({'state': text})}" for text in GROUPS]
    for path in paths:
        _, _, kind = call(origin + path, Accept=accept, **desk.bearer)
        tally.add((path, kind), held=kind in {"application/json", "application/problem+json"})
