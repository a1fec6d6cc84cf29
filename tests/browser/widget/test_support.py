"""Asks for support on readers' pages, in every engine: where they stand, what they count."""

from collections.abc import Callable

import pytest

from tests.browser.engines import Chromium, Engine
from tests.browser.widget.asking import (
    ROOT,
    THANKS,
    counted,
    page_of,
    places,
    press,
    running,
    settled,
)
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import call, requested, visit
from tests.browser.widget.test_way import is_said, send

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]
LOADED = "performance.getEntriesByType('resource')"


def test_block_stands_in_its_place_and_is_counted(engine: Engine, news: News) -> None:
    with running(news, link_parameters="utm_medium={place}&utm_campaign={campaign}") as key:
        engine.open(page_of(news, f"/block-{engine.name}"))
        engine.wait_for(ROOT)
        assert "Keep us independent" in engine.evaluate(f"{ROOT}.textContent")
        assert engine.evaluate(f"{ROOT}.querySelector('a').href") == (
            f"https://news.example/patrons?utm_medium=block&utm_campaign={key}"
        )
        assert requested(news) == ["widget.js", "places.js"]
        engine.wait_until(lambda: counted(news, key), "the view is counted")
        assert counted(news, key) == [("a", "block", "view")]
        press(engine, "Not now")
        assert "We will not ask again before" in engine.evaluate(f"{ROOT}.textContent")
        engine.wait_until(lambda: len(counted(news, key)) == 2, "the closing is counted")
        assert counted(news, key)[1] == ("a", "block", "dismiss")
        engine.open(page_of(news, f"/block-next-{engine.name}"))
        assert settled(engine) == []


def test_date_that_ends_with_a_full_stop_ends_the_line(chromium: Make, news: News) -> None:
    page = chromium()
    with running(news):
        page.open(page_of(news, "/closed-uk", locale="uk"))
        page.wait_for(ROOT)
        press(page, "Не зараз")
        said = page.evaluate(f"{ROOT}.textContent")
    assert "Не проситимемо знову раніше" in said
    assert " р." in said
    assert ".." not in said


def test_bar_stands_at_the_foot_from_the_second_page_on(engine: Engine, news: News) -> None:
    with running(news, places=["bar"]) as key:
        engine.open(page_of(news, f"/bar-first-{engine.name}"))
        assert settled(engine) == []
        engine.open(page_of(news, f"/bar-second-{engine.name}"))
        engine.wait_for(ROOT)
        assert places(engine) == ["bar"]
        engine.wait_until(lambda: counted(news, key), "the view is counted")
        assert counted(news, key) == [("a", "bar", "view")]
        press(engine, "Not now")
        assert places(engine) == []


def test_thanks_ask_once_a_correction_is_sent(engine: Engine, news: News) -> None:
    with running(news, places=["thanks"]) as key:
        visit(engine, page_of(news, f"/thanks-{engine.name}", ARTICLE))
        call(engine)
        assert not engine.evaluate(f"!!({THANKS})")
        engine.inside_dialog("textarea").fill(f"bridge, {engine.name}")
        # Nobody writes as quickly as this part of the widget comes.
        engine.wait_for(f"{LOADED}.some(({{ name }}) => name.endsWith('/support.js'))")
        send(engine)
        is_said(engine, "Sent")
        engine.wait_for(THANKS)
        assert "Keep us independent" in engine.evaluate(f"{THANKS}.textContent")
        engine.wait_until(lambda: counted(news, key), "the view is counted")
        assert counted(news, key) == [("a", "thanks", "view")]
        engine.inside_dialog("#cancel").click()
        engine.wait_until(lambda: not engine.evaluate(f"!!({THANKS})"), "the ask goes with it")
