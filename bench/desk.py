"""The desk as an editor uses it: `make bench-desk [SIZES=1000,100000]`.

Seeds a site, decides a hundred corrections by keys in Chromium while nothing else happens, and
counts what went over the wire; then lets the page stand and poll; then asks a served process for
the queue's page as often as it can, at each size. Times are those of this machine: compare sizes.
"""

import os
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request, Response

from tests.browser.engines import Chromium
from tests.processes import Serving, environment, run, run_json

SEEDING_SECONDS = 3600
SIZES = [int(size) for size in os.environ.get("SIZES", "1000,100000").split(",")]
ROUNDS = int(os.environ.get("ROUNDS", "100"))
DECISIONS = 100
QUIET_SECONDS = 30
EMAIL, PASSWORD = "editor@news.example", "a password for the bench"

VIEWS = {
    "the queue": "/review",
    "by article": "/review?sort=by-article",
    "a search": "/review?q=library",
    "a filter": "/review?category=fact&language=uk",
    "polling, changed": "/review/live",
}


def made(folder: Path, size: int) -> dict[str, str]:
    """The environment of a service whose one site has so many corrections."""
    env = environment(folder, SECRET_KEY="bench" * 8)
    run(["migrate"], env)
    site = run_json(["site", "create", "Bench", "--origin", "https://news.example"], env)["key"]
    run(["editor", "create", EMAIL, "--site", site, "--role", "editor"], env, stdin=PASSWORD + "\n")
    sow = ["seed", "--site", site, "--corrections", str(size)]
    seeded = run(sow, env, seconds=SEEDING_SECONDS)
    assert seeded.returncode == 0, seeded.stderr
    return env


class Wire:
    """Counts requests and the bytes of both bodies and both headers."""

    def __init__(self, page: Page) -> None:
        self.requests: list[Request] = []
        page.on("requestfinished", self.keep)

    def keep(self, request: Request) -> None:
        self.requests.append(request)

    def told(self, per: int) -> str:
        size = sum(sum(request.sizes().values()) for request in self.requests)
        return f"{len(self.requests) / per:.2f} requests, {size / per:,.0f} bytes"


def walk(url: str) -> None:
    """A hundred decided by keys; then a page that nobody touches."""
    browser = Chromium()
    page = browser.page
    page.goto(f"{url}/login?next=/review")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/review")
    wire = Wire(page)
    began = time.monotonic()
    page.keyboard.press("j")
    for place in range(DECISIONS):
        page.locator(".row[aria-current=true]").wait_for()
        page.keyboard.press("afs"[place % 3])
    page.locator(".row.going").first.wait_for(state="detached")
    page.wait_for_load_state("networkidle")
    seconds = time.monotonic() - began
    print(f"a decision: {wire.told(DECISIONS)}, {seconds / DECISIONS * 1000:.0f} ms")
    page.wait_for_timeout(6_000)
    polls: list[int] = []

    def keep(answer: Response) -> None:
        if "/review/live" in answer.url:
            polls.append(answer.status)

    page.on("response", keep)
    page.wait_for_timeout(QUIET_SECONDS * 1000)
    print(f"polling: {len(polls)} in {QUIET_SECONDS} s, {polls.count(304)} of them answered 304")
    browser.close()
    Chromium.quit()


def signed_in(url: str) -> Callable[[str], bytes]:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    form = urllib.parse.urlencode({"email": EMAIL, "password": PASSWORD}).encode()
    opener.open(f"{url}/login", form).close()

    def get(path: str) -> bytes:
        with opener.open(url + path) as answer:
            body: bytes = answer.read()
        return body

    return get


def times(get: Callable[[str], bytes]) -> dict[str, tuple[float, float, int]]:
    """The median and the 95th percentile in ms, and the bytes, of each view; views in turn."""
    took: dict[str, list[float]] = {name: [] for name in VIEWS}
    size = {name: len(get(path)) for name, path in VIEWS.items()}
    for _ in range(ROUNDS):
        for name, path in VIEWS.items():
            began = time.perf_counter()
            get(path)
            took[name].append((time.perf_counter() - began) * 1000)
    return {
        name: (statistics.median(each), sorted(each)[int(len(each) * 0.95)], size[name])
        for name, each in took.items()
    }


def main() -> None:
    """Print the figures of every size."""
    found: dict[int, Any] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            env = made(Path(folder), size)
            with Serving(env) as service:
                found[size] = times(signed_in(service.url))
                if size == SIZES[0]:
                    walk(service.url)
    for name in VIEWS:
        parts = [
            f"{size:,}: p50 {found[size][name][0]:.1f} ms, p95 {found[size][name][1]:.1f} ms, "
            f"{found[size][name][2]:,} bytes"
            for size in SIZES
        ]
        ratio = found[SIZES[-1]][name][0] / found[SIZES[0]][name][0]
        print(f"{name}: {'; '.join(parts)}; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
