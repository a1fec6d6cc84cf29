"""The desk as an editor uses it: `make bench-desk [SIZES=1000,1000000]`.

Seeds sites, and asks a served process of each for the queue's page as often as it can, in turn;
then decides a hundred corrections by keys in Chromium while nothing else happens, and counts what
went over the wire; then lets the page stand and poll. Times are those of this machine: compare
sizes.
"""

import os
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from http.cookiejar import CookieJar
from pathlib import Path

from playwright.sync_api import Page, Request, Response

from tests.browser.engines import Chromium
from tests.processes import Serving, environment, run, run_json

SEEDING_SECONDS = 3600
SIZES = [int(size) for size in os.environ.get("SIZES", "1000,1000000").split(",")]
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


def times(sites: dict[int, Callable[[str], bytes]]) -> dict[str, dict[int, str]]:
    """What to tell of each view at each size; sizes in turn, so that all meet the same machine."""
    told: dict[str, dict[int, str]] = {}
    for name, path in VIEWS.items():
        weights = {size: len(get(path)) for size, get in sites.items()}
        took: dict[int, list[float]] = {size: [] for size in sites}
        for _ in range(ROUNDS):
            for size, get in sites.items():
                began = time.perf_counter()
                get(path)
                took[size].append((time.perf_counter() - began) * 1000)
        middle = {size: statistics.median(each) for size, each in took.items()}
        told[name] = {
            size: f"p50 {middle[size]:.1f} ms, p95 {sorted(each)[int(len(each) * 0.95)]:.1f} ms, "
            f"{weights[size]:,} bytes, ratio {middle[size] / middle[SIZES[0]]:.2f}"
            for size, each in took.items()
        }
    return told


def main() -> None:
    """Print the figures of every size."""
    with ExitStack() as open_ones:
        services: dict[int, Serving] = {}
        for size in SIZES:
            folder = open_ones.enter_context(tempfile.TemporaryDirectory())
            services[size] = open_ones.enter_context(Serving(made(Path(folder), size)))
        found = times({size: signed_in(service.url) for size, service in services.items()})
        for name, sizes in found.items():
            for size, told in sizes.items():
                print(f"{name}, {size:,} corrections: {told}")
        walk(services[SIZES[0]].url)


if __name__ == "__main__":
    main()
