"""The reader's whole way in every engine: select, press the keys, mend, send."""

import urllib.request

import pytest

from service import hashing
from service.text import article_text
from tests.browser.engines import Engine
from tests.browser.widget.conftest import News

pytestmark = pytest.mark.browser


def opened_on(
    engine: Engine, news: News, text: str = "brigde", keys: str = "Control+Enter"
) -> None:
    engine.open(news.publish("/bridge"))
    engine.wait_for("window.Corrigenda")
    engine.select("article", text)
    engine.press(keys)
    engine.inside_dialog("form[name=report]").wait()


def send(engine: Engine) -> None:
    engine.inside_dialog("button[type=submit]").click()


def is_said(engine: Engine, words: str) -> None:
    engine.wait_until(
        lambda: words in engine.inside_dialog("[role=status]").text(), f"“{words}” is said"
    )


def test_a_word_is_mended_and_sent(engine: Engine, news: News) -> None:
    opened_on(engine, news)
    assert engine.inside_dialog("blockquote").text() == "The new brigde was opened on Friday."
    assert engine.inside_dialog("mark").text() == "brigde"
    assert engine.inside_dialog("textarea[name=suggestion]").value() == "brigde"
    engine.inside_dialog("textarea[name=suggestion]").fill("bridge")
    engine.inside_dialog("textarea[name=comment]").fill("a typo")
    engine.inside_dialog("select[name=category]").choose("typo")
    engine.inside_dialog("input[name=email]").fill("reader@example.org")
    send(engine)
    is_said(engine, "Sent")
    with urllib.request.urlopen(f"{news.pages.url}/bridge") as page:
        text = article_text(page.read().decode())
    assert news.sent() == [
        {
            "target": {
                "source": f"{news.pages.url}/bridge",
                "title": "Bridge opens",
                "lang": "en",
                "selector": [
                    {
                        "type": "TextQuoteSelector",
                        "exact": "brigde",
                        "prefix": "Bridge opens\n\nThe new ",
                        "suffix": " was opened on Friday. It is 120 m long. Nobody knew why.\n\nThe m",
                    },
                    {"type": "TextPositionSelector", "start": 22, "end": 28},
                ],
                "revision": hashing.short(text),
            },
            "suggestion": "bridge",
            "comment": "a typo",
            "category": "typo",
            "email": "reader@example.org",
        }
    ]
    [(_, _, headers, _)] = news.way.posts()
    assert "Cookie" not in headers
    link = engine.inside_dialog("[role=status] a").attribute("href")
    assert link is not None
    assert "/r/" in link
    assert engine.evaluate("document.cookie") == ""
    assert engine.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_the_keys_open_the_dialog_on_text_across_inline_elements(
    engine: Engine, news: News, keys: str
) -> None:
    opened_on(engine, news, "opened on Friday. It is 120 m long", keys)
    assert engine.inside_dialog("mark").text() == "opened on Friday. It is 120 m long"


def test_escape_gives_the_selection_back_and_keeps_what_was_written(
    engine: Engine, news: News
) -> None:
    opened_on(engine, news)
    engine.inside_dialog("textarea[name=comment]").fill("not finished")
    engine.press("Escape")
    engine.wait_until(lambda: engine.selection() == "brigde", "the selection is back")
    assert not engine.inside_dialog("form").is_seen()
    engine.press("Control+Enter")
    assert engine.inside_dialog("textarea[name=comment]").value() == "not finished"
    assert news.sent() == []


def test_a_lost_answer_is_asked_for_again_on_the_next_visit_and_the_report_made_once(
    engine: Engine, news: News
) -> None:
    opened_on(engine, news)
    engine.inside_dialog("textarea[name=suggestion]").fill("bridge, once")
    news.way.faults["/reports"] = None
    news.way.after = True
    send(engine)
    is_said(engine, "Your text is kept")
    news.way.faults.clear()
    engine.open(news.publish("/another"))
    is_said(engine, "has not been sent yet")
    # Not now: it keeps for another visit.
    engine.inside_dialog("#cancel").focus()
    engine.press("Escape")
    engine.wait_until(lambda: not engine.inside_dialog("form").is_seen(), "the offer is closed")
    engine.open(news.publish("/another"))
    is_said(engine, "has not been sent yet")
    assert engine.inside_dialog("mark").text() == "brigde"
    send(engine)
    is_said(engine, "Sent")
    first, second = news.way.posts()
    assert first[2]["Idempotency-Key"] == second[2]["Idempotency-Key"]
    assert first[3] == second[3]
    assert engine.evaluate("localStorage.length") == 0
    engine.open(news.publish("/a-third"))
    engine.wait_for("window.Corrigenda")
    assert not engine.inside_dialog("form").is_seen()


# WebKitGTK's driver cannot take the network away; there the connection is cut, above.
@pytest.mark.parametrize("browser", ["chromium", "firefox"], indirect=True)
def test_offline_is_said_and_the_report_goes_once_when_the_network_is_back(
    engine: Engine, news: News
) -> None:
    opened_on(engine, news)
    engine.inside_dialog("textarea[name=suggestion]").fill(f"bridge, offline in {engine.name}")
    engine.set_offline(True)
    try:
        send(engine)
        is_said(engine, "you are offline")
        assert news.sent() == []
    finally:
        engine.set_offline(False)
    is_said(engine, "Sent")
    assert len(news.sent()) == 1


def test_too_much_is_explained_and_not_sent(engine: Engine, news: News) -> None:
    engine.open(news.publish("/long", f"<article><p>{'word ' * 120}</p></article>"))
    engine.wait_for("window.Corrigenda")
    engine.select("article", "word " * 102)
    engine.press("Control+Enter")
    is_said(engine, "too long by 9 characters")
    assert not engine.inside_dialog("button[type=submit]").is_seen()
