"""The reader's whole way: select, Ctrl+Enter, mend, send."""

import pytest

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


def test_a_word_is_mended_and_sent(engine: Engine, news: News) -> None:
    opened_on(engine, news)
    assert engine.inside_dialog("blockquote mark").text() == "brigde"
    assert engine.inside_dialog("textarea[name=suggestion]").value() == "brigde"
    engine.inside_dialog("textarea[name=suggestion]").fill("bridge")
    engine.inside_dialog("textarea[name=comment]").fill("a typo")
    engine.inside_dialog("button[type=submit]").click()
    engine.wait_until(lambda: "Sent" in engine.inside_dialog("[role=status]").text(), "sent")
    [report] = news.sent()
    assert report == {
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
        },
        "suggestion": "bridge",
        "comment": "a typo",
        "website": "",
    }
    assert engine.inside_dialog("[role=status] a").attribute("href") is not None


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_the_keys_open_the_dialog_on_text_across_inline_elements(
    engine: Engine, news: News, keys: str
) -> None:
    opened_on(engine, news, "opened on Friday. It is 120 m long", keys)
    assert engine.inside_dialog("blockquote mark").text() == "opened on Friday. It is 120 m long"
