"""When and where an ask is due, by a clock that the test sets. Chromium.

One page that goes from article to article, as a single-page app does: each step sets the clock,
the article and the campaign's answer, and reads which ask stands on it.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.browser.engines import Chromium
from tests.browser.widget.asking import DAY, PLACE, call, places, press
from tests.browser.widget.conftest import ARTICLE, News
from tests.support.conftest import text

pytestmark = pytest.mark.browser

MINUTE = 60_000
MEMORY = "JSON.parse(localStorage['corrigenda:support'] ?? '{}')"
TITLE = "document.querySelector('corrigenda-support')?.shadowRoot.querySelector('h2')?.textContent"
KEYS = (f"when-{number}" for number in itertools.count(1))


class Reader:
    """A reader with one page open, and the clock of their browser."""

    def __init__(self, page: Chromium, news: News) -> None:
        self.page = page
        self.news = news
        self.start = self.now = time.time() * 1000
        page.page.clock.set_fixed_time(datetime.fromtimestamp(self.now / 1000, UTC))
        page.open(news.publish("/when", ARTICLE + PLACE, locale="en"))
        page.wait_for("window.Corrigenda")

    def is_new(self) -> None:
        """Somebody else's browser, at the first moment again."""
        self.page.evaluate("(localStorage.clear(), 0)")
        self.now = self.start

    def reads(self, article: str, *, after: float = 0, at: float | None = None) -> list[str]:
        """Where asks stand on an article that is opened so many days later, or at a moment."""
        # Each step has an instant of its own: that it is kept shows that the page is through.
        self.now = (self.now + after * DAY if at is None else at) + 1
        self.page.page.clock.set_fixed_time(datetime.fromtimestamp(self.now / 1000, UTC))
        self.page.evaluate(
            f"(history.replaceState(null, '', {json.dumps(article)}),"
            "document.dispatchEvent(new Event('corrigenda:places')), 0)"
        )
        self.page.wait_for(f"Object.values({MEMORY}.read ?? {{}}).includes(Date.now())")
        return places(self.page)

    def sees(self, key: str) -> None:
        """Wait until the ask was in view."""
        self.page.wait_for(f"{MEMORY}.seen[{json.dumps(key)}]?.includes(Date.now())")

    @contextmanager
    def asked(self, **changed: Any) -> Iterator[str]:
        """A campaign of the site, in answers that the browser does not have yet; gives its key."""
        key = next(KEYS)
        variants = [{"key": "a", "texts": {"en": text()}}]
        call(self.news, "PUT", f"/{key}", {"name": key, "variants": variants, **changed})
        self.speaks(f"en-x-{key}")
        try:
            yield key
        finally:
            call(self.news, "DELETE", f"/{key}")

    def speaks(self, locale: str) -> None:
        self.page.evaluate(
            f"(document.querySelector('[data-site]').dataset.locale = '{locale}', 0)"
        )

    def head(self, html: str) -> None:
        """Replace what the article says of itself."""
        self.page.evaluate(
            "(document.head.querySelectorAll('meta[property], [type=\"application/ld+json\"]')"
            ".forEach((each) => each.remove()),"
            f"document.head.insertAdjacentHTML('beforeend', {json.dumps(html)}), 0)"
        )


@pytest.fixture
def reader(chromium: Callable[..., Chromium], news: News) -> Reader:
    return Reader(chromium(), news)


def moment(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def test_from_and_until(reader: Reader) -> None:
    # The service tells of what begins within the five minutes that its answer is kept.
    begins, ends = reader.start + 4 * MINUTE, reader.start + 5 * DAY
    with reader.asked(starts_at=moment(begins), ends_at=moment(ends)):
        assert reader.reads("/a", at=begins - 1000) == []
        assert reader.reads("/a", at=begins) == ["block"]
        assert reader.reads("/a", at=ends - 1000) == ["block"]
        assert reader.reads("/a", at=ends) == []


def test_from_the_nth_article_of_the_period(reader: Reader) -> None:
    with reader.asked(after_articles=4, period_days=10):
        shown = [reader.reads(f"/nth-{n}") for n in (1, 2, 3, 3, 4, 5)]
        assert shown == [[], [], [], [], ["block"], ["block"]]
        reader.is_new()
        assert [reader.reads(f"/slow-{n}", after=4) for n in range(8)] == [[]] * 8


def test_articles_under_a_canonical_link_left_behind_are_counted_each(reader: Reader) -> None:
    address = reader.news.publish(
        "/counted", ARTICLE + PLACE, head='<link rel="canonical" href="/counted">', locale="en"
    )
    reader.page.open(address)
    reader.page.wait_for("window.Corrigenda")
    with reader.asked(after_articles=3):
        assert [reader.reads(f"/counted-{n}") for n in (1, 2, 3)] == [[], [], ["block"]]


def test_at_most_so_many_views_in_the_period(reader: Reader) -> None:
    with reader.asked(max_views=2, period_days=10) as key:
        for number in range(2):
            assert reader.reads(f"/most-{number}", after=1) == ["block"]
            reader.sees(key)
        assert reader.reads("/most-2", after=1) == []
        assert reader.reads("/most-3", after=7) == []
        # The first of the two is more than ten days ago; then both are again less.
        assert reader.reads("/most-4", after=1) == ["block"]
        reader.sees(key)
        assert reader.reads("/most-5") == []


def test_dismissed_stays_dismissed_over_sixty_days(reader: Reader) -> None:
    """Closed each time it comes: quiet for 4 days, then 8, 16 and 32; another campaign too."""
    with reader.asked(quiet_days=4):
        days = []
        for day in range(61):
            if reader.reads(f"/day-{day}", after=1):
                days.append(day)
                press(reader.page, "Not now")
        assert days == [0, 4, 12, 28, 60]
    reader.is_new()
    with reader.asked(quiet_days=30, places=["block", "bar"]):
        reader.reads("/first")
        press(reader.page, "Not now")
    with reader.asked(quiet_days=1):
        assert [reader.reads(f"/other-{day}", after=1) for day in range(29)] == [[]] * 29
        assert reader.reads("/other-29", after=1) == ["block"]


def test_who_supports_is_never_asked_again(reader: Reader) -> None:
    with reader.asked(quiet_days=1, places=["block", "bar"]):
        assert reader.reads("/a") == ["block"]
        press(reader.page, "I already support you")
        assert [reader.reads(f"/b-{n}", after=after) for n, after in enumerate((1, 60, 3650))] == [
            [],
            [],
            [],
        ]


LINKED = '<script type="application/ld+json">{}</script>'.format
SECTIONS = {
    "": False,
    '<meta property="article:section" content="Culture">': False,
    '<meta property="article:section" content=" SPORT ">': True,
    '<meta property="article:tag" content="Sport">': False,
    LINKED('{"articleSection": ["News", "sport"]}'): True,
    LINKED('[{"@type": "Thing"}, {"@graph": [{"articleSection": "Sport"}]}]'): True,
    LINKED("{broken"): False,
    LINKED("null"): False,
}
TAGS = {
    "": False,
    '<meta property="article:section" content="rivers">': False,
    '<meta property="article:tag" content="bridges"><meta property="article:tag" content="Rivers">': True,
    LINKED('{"keywords": "bridges, rivers"}'): True,
    LINKED('{"keywords": ["Rivers", 7]}'): True,
    LINKED('{"keywords": "rivers and lakes"}'): False,
}


@pytest.mark.parametrize(
    ("changed", "heads"), [({"sections": ["Sport"]}, SECTIONS), ({"tags": ["rivers"]}, TAGS)]
)
def test_by_section_and_by_tag(
    reader: Reader, changed: dict[str, Any], heads: dict[str, bool]
) -> None:
    with reader.asked(**changed):
        for head, is_due in heads.items():
            reader.head(head)
            assert (head, reader.reads("/a")) == (head, ["block"] if is_due else [])


def test_by_language(reader: Reader) -> None:
    titles = {"en": "Keep us independent", "uk": "Підтримайте нас"}
    texts = {locale: text(title) for locale, title in titles.items()}
    variants = [{"key": "a", "texts": texts}]
    shown = {}
    with (
        reader.asked(places=["thanks"]),
        reader.asked(places=["block"], languages=["uk"], variants=variants),
    ):
        for locale in ("uk-x-when", "uk-UA-x-when", "en-x-when"):
            reader.speaks(locale)
            reader.reads("/a")
            shown[locale] = reader.page.evaluate(TITLE)
    assert shown == {"uk-x-when": titles["uk"], "uk-UA-x-when": titles["uk"], "en-x-when": None}


def test_bar_is_not_on_the_first_page_and_never_beside_a_block(reader: Reader) -> None:
    with reader.asked(places=["bar"]):
        assert [reader.reads(path) for path in ("/a", "/a", "/b", "/c")] == [
            [],
            [],
            ["bar"],
            ["bar"],
        ]
    reader.is_new()
    with reader.asked(places=["block", "bar"]):
        assert [reader.reads(path) for path in ("/a", "/b", "/c")] == [["block"]] * 3


def test_variant_is_drawn_by_weight_and_stays(reader: Reader) -> None:
    weights = {"a": 1, "b": 3, "c": 0}
    variants = [
        {"key": key, "weight": weight, "texts": {"en": text(f"Variant {key}")}}
        for key, weight in weights.items()
    ]
    with reader.asked(variants=variants) as key:
        drawn = []
        for twentieth in range(20):
            reader.is_new()
            reader.page.evaluate(f"(Math.random = () => {twentieth / 20}, 0)")
            reader.reads("/a", after=twentieth + 1)
            drawn.append(reader.page.evaluate(TITLE))
        assert drawn == ["Variant a"] * 5 + ["Variant b"] * 15
        for chance in (0, 0.5, 0.99):
            reader.page.evaluate(f"(Math.random = () => {chance}, 0)")
            reader.reads("/b", after=1)
            assert reader.page.evaluate(TITLE) == "Variant b"
        # Who has seen a variant keeps it when it is drawn for nobody new.
        variants[1]["weight"] = 0
        call(reader.news, "PUT", f"/{key}", {"name": key, "variants": variants})
        reader.speaks(f"en-x-{key}-later")
        reader.reads("/c", after=1)
        assert reader.page.evaluate(TITLE) == "Variant b"
        reader.is_new()
        reader.reads("/c", after=40)
        assert reader.page.evaluate(TITLE) == "Variant a"


def test_forgetting_erases_what_was_counted(reader: Reader) -> None:
    with reader.asked(after_articles=2):
        assert [reader.reads(path) for path in ("/a", "/b")] == [[], ["block"]]
        press(reader.page, "Not now")
        reader.page.evaluate("(Corrigenda.forget(), 0)")
        assert reader.page.evaluate("Object.keys(localStorage)") == []
        assert [reader.reads(path) for path in ("/c", "/d")] == [[], ["block"]]
