"""When and where an ask is shown, by a fixed clock; and that it never moves the page. Chromium."""

import gzip
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Response

from tests.browser.engines import Chromium
from tests.browser.widget.asking import (
    DAY,
    PLACE,
    counted,
    page_of,
    press,
    running,
    settled,
)
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import requested
from tests.support.conftest import text

pytestmark = pytest.mark.browser


class Reader:
    """One browser and the clock in it."""

    def __init__(self, page: Chromium, news: News) -> None:
        self.page = page
        self.news = news
        self.now = datetime.now(UTC).timestamp() * 1000

    def opens(self, path: str, after: float = 0, **options: Any) -> list[str]:
        """Where asks stand on a page that is opened so many days later."""
        self.now += after * DAY
        self.page.page.clock.set_fixed_time(datetime.fromtimestamp(self.now / 1000, UTC))
        self.page.open(page_of(self.news, path, **options))
        return settled(self.page)


@pytest.fixture
def reader(chromium: Callable[..., Chromium], news: News) -> Reader:
    return Reader(chromium(), news)


Running = AbstractContextManager[None]


def test_page_may_switch_asks_off(reader: Reader, news: News) -> None:
    with running(news):
        assert reader.opens("/off", support="off") == []
        # Such a page does not count as read, and what its place has reserved is given back.
        assert reader.page.evaluate("localStorage.length") == 0
        assert not reader.page.at("[data-corrigenda=support]").is_seen()
        assert reader.opens("/on") == ["block"]


def test_reserved_height_is_given_back_where_nothing_is_asked(reader: Reader, news: News) -> None:
    head = "<style>[data-corrigenda=support] { min-height: 20em }</style>"
    place = reader.page.at("[data-corrigenda=support]")
    reader.opens("/gap-below", body=f"<article>{LONG}</article>{PLACE}{FOOT}", head=head)
    assert not place.is_seen()
    # In view its going would move what the reader sees.
    reader.opens("/gap-in-view", body=ARTICLE + PLACE + FOOT, head=head)
    assert place.is_seen()


def test_page_loads_little_for_a_place_and_nothing_without_one(reader: Reader, news: News) -> None:
    link = {"label": "Become a patron of this newsroom", "url": "https://news.example/patrons"}
    words = (
        "Seven people sit through the meetings, read the files and ask again. Readers pay for it."
    )
    full = text(text=words, ways=[link] * 3, amounts=[link] * 3, image_alt="The newsroom at night")
    answers: list[Response] = []
    reader.page.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # Playwright marks it
    with running(
        news,
        variants=[{"key": key, "texts": {"en": full}} for key in "ab"],
        image_url="https://news.example/newsroom.jpg",
        link_parameters="utm_source={site}&utm_medium={place}&utm_campaign={campaign}",
    ):
        assert reader.opens("/no-place", body=ARTICLE) == []
        assert requested(news) == ["widget.js"]
        answers.clear()
        assert reader.opens("/place") == ["block"]
        loaded = [
            len(gzip.compress(answer.body()))
            for answer in answers
            if answer.url.startswith(news.way.url)
            and not answer.url.endswith(("widget.js", "support-events"))
        ]
        assert len(loaded) <= 2
        assert sum(loaded) <= 5000


def test_privacy_control_counts_nothing(reader: Reader, news: News) -> None:
    reader.page.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
    )
    with running(news) as key:
        assert reader.opens("/gpc") == ["block"]
        press(reader.page, "Not now")
        settled(reader.page)
        assert counted(news, key) == []
        assert reader.opens("/gpc-next") == []


def test_browser_that_keeps_nothing_is_not_asked(reader: Reader, news: News) -> None:
    reader.page.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })"
    )
    with running(news):
        assert reader.opens("/no-storage") == []


LONG = "".join(f"<p>Paragraph {n}. {'Words of the article. ' * 30}</p>" for n in range(12))
FOOT = "<footer><p>Read also: nothing.</p></footer>"
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) shifts.push([entry.value, entry.hadRecentInput]);
}).observe({ type: 'layout-shift', buffered: true });"""


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (f"<article>{LONG}</article>{PLACE}{FOOT}", ""),
        (ARTICLE + PLACE, ""),
        (ARTICLE + PLACE + FOOT, "<style>[data-corrigenda=support] { min-height: 20em }</style>"),
        (PLACE + f"<article>{LONG}</article>", ""),
    ],
    ids=["below the view", "last on the page", "height reserved", "above the article"],
)
def test_layout_never_shifts(reader: Reader, news: News, body: str, head: str) -> None:
    reader.page.page.add_init_script(SHIFTS)
    with running(news, places=["block", "bar"]):
        for number in range(2):
            reader.opens(f"/shift-{number}-{len(body)}-{len(head)}", body=body, head=head)
            reader.page.page.mouse.wheel(0, 20000)
            reader.page.page.wait_for_timeout(300)
            assert sum(value for value, _ in reader.page.evaluate("shifts")) == 0


def test_bar_and_appeal_never_shift_and_never_meet(reader: Reader, news: News) -> None:
    reader.page.page.add_init_script(SHIFTS)
    body = f"<article>{LONG}</article>{PLACE}{FOOT}"
    with running(news, places=["bar"]):
        reader.opens("/shift-bar-1", body=body)
        assert reader.opens("/shift-bar-2", body=body) == ["bar"]
        reader.page.page.mouse.wheel(0, 20000)
        reader.page.page.wait_for_timeout(300)
        assert reader.page.evaluate("shifts") == []
        # What does move the page is seen to.
        reader.page.evaluate("(document.body.prepend(document.createElement('hr')), 0)")
        reader.page.wait_for("shifts.length")


def test_bar_lies_over_nothing_on_a_small_screen(
    chromium: Callable[..., Chromium], news: News
) -> None:
    reader = Reader(chromium(viewport={"width": 360, "height": 640}), news)
    body = f"<article>{LONG}</article>{PLACE}{FOOT}"
    with running(news, places=["bar"]):
        reader.opens("/small-1", body=body)
        assert reader.opens("/small-2", body=body) == ["bar"]
        place = json.loads(
            reader.page.evaluate(
                "JSON.stringify((({ position }, { top }, foot) => [position, top >= foot.bottom])("
                "getComputedStyle(document.querySelector('corrigenda-support')),"
                "document.querySelector('corrigenda-support').getBoundingClientRect(),"
                "document.querySelector('footer').getBoundingClientRect()))"
            )
        )
        assert place == ["static", True]
