"""Every language in every engine: opened once, mirrored where it is read from the right, counting right."""

import json

import pytest

from service import catalogues
from tests.browser.engines import DIALOG, ROOT, Engine
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import call, visit
from tests.browser.widget.test_way import is_said

pytestmark = pytest.mark.browser

TEXTS = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))["widget"]
    for file in (ROOT / "service/strings").glob("*.json")
}

CLOSING = (
    f"(window.whenClosed = new Promise((done) => {DIALOG}.querySelector('dialog')"
    ".addEventListener('close', done, { once: true })), 0)"
)

# CLDR's plural categories of these numbers.
COUNTED = [
    ("en", 1, "one"),
    ("en", 2, "other"),
    ("uk", 21, "one"),
    ("uk", 3, "few"),
    ("uk", 12, "many"),
    ("ru", 1, "one"),
    ("ru", 24, "few"),
    ("pl", 22, "few"),
    ("pl", 21, "many"),
    ("fr", 1, "one"),
    ("ar", 1, "one"),
    ("ar", 2, "two"),
    ("ar", 5, "few"),
    ("ar", 11, "many"),
    ("he", 2, "two"),
    ("ja", 1, "other"),
    ("zh-Hans", 2, "other"),
]


def test_every_language_opens_in_its_words_its_direction_and_its_plural_forms(
    engine: Engine, news: News
) -> None:
    assert len(TEXTS) == 13
    for locale, texts in sorted(TEXTS.items()):
        numbers = [(excess, form) for language, excess, form in COUNTED if language == locale]
        long = "".join(f'<p id="by-{excess}">{"x" * (500 + excess)}</p>' for excess, _ in numbers)
        body = ARTICLE.replace("</article>", f"{long}</article>")
        visit(engine, news.publish(f"/opened-{locale}", body, lang=locale))
        call(engine)
        said = engine.evaluate(
            f"['h2', '[for=suggestion]', '#send', '#cancel'].map((css) => {DIALOG}.querySelector(css).textContent)"
        )
        assert said == [texts[name] for name in ("title", "suggestion", "send", "cancel")]
        is_mirrored = catalogues.direction(locale) == "rtl"
        assert engine.evaluate(f"getComputedStyle({DIALOG}.querySelector('#send')).direction") == (
            "rtl" if is_mirrored else "ltr"
        )
        first, second = engine.inside_dialog("#send").box(), engine.inside_dialog("#cancel").box()
        assert (first["x"] > second["x"]) == is_mirrored, locale
        for excess, form in numbers:
            # At its close the dialog gives the page its selection back: only then is the next one made.
            engine.evaluate(CLOSING)
            engine.press("Escape")
            engine.evaluate("whenClosed.then(() => true)")
            engine.select(f"#by-{excess}", "x" * (500 + excess))
            engine.press("Control+Enter")
            number = engine.evaluate(f"({excess}).toLocaleString('{locale}')")
            is_said(engine, texts["excerpt_too_long"][form].replace("{n}", number))


def test_article_in_another_language_keeps_its_own_direction(engine: Engine, news: News) -> None:
    body = f'<div lang="en" dir="ltr">{ARTICLE}</div>'
    visit(engine, news.publish("/english-on-an-arabic-site", body, lang="ar"))
    call(engine)
    look = "((css) => getComputedStyle({DIALOG}.querySelector(css)).direction)".replace(
        "{DIALOG}", DIALOG
    )
    assert engine.evaluate(f"['h2', 'blockquote', '#suggestion'].map({look})") == [
        "rtl",
        "ltr",
        "ltr",
    ]
    assert engine.inside_dialog("#suggestion").attribute("lang") == "en"
