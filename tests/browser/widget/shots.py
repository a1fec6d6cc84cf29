"""Pictures of the dialog to be looked at: its states in some languages, on a desk and in a hand.

`python -m tests.browser.widget.shots FOLDER` writes a sheet for each language, screen and scheme.
"""

import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.browser.engines import Chromium
from tests.browser.widget.conftest import News, published
from tests.browser.widget.test_manners import call, visit
from tests.browser.widget.test_way import send

# A mistake in the reader's own language, and the word that mends it.
ARTICLES = {
    "en": ("The new brigde was opened on Friday. It is 120 m long.", "brigde", "bridge"),
    "uk": ("Новий міцт відкрили у п’ятницю. Його довжина 120 м.", "міцт", "міст"),
    "ar": ("افتُتح الجصر الجديد يوم الجمعة. يبلغ طوله 120 م.", "الجصر", "الجسر"),
    "ja": ("新しい僑は金曜日に開通した。長さは120メートル。", "僑", "橋"),
}
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
SCHEMES = ("light", "dark")
STATUS = (
    "document.querySelector('corrigenda-dialog')?.shadowRoot.querySelector('[role=status]')"
    ".textContent.length > 1"
)


def states(page: Chromium, news: News, language: str) -> Iterator[tuple[str, bytes]]:
    """The dialog's states in turn, each with its picture."""
    sentence, wrong, right = ARTICLES[language]
    long = sentence * (600 // len(sentence))
    text = f"<p>{sentence}</p>" * 3 + f"<p>{long}</p>"
    style = "<style>:root { color-scheme: light dark; font: 1rem/1.6 serif } body { padding: 1rem; max-width: 42rem; margin: auto }</style>"
    address = news.publish(
        f"/{language}", f'<article dir="auto">{text}</article>', head=style, lang=language
    )
    visit(page, address)
    page.select("article", wrong)
    if page.evaluate("navigator.maxTouchPoints > 0"):
        page.inside_dialog("[part=touch]").wait()
        yield "selected", page.page.screenshot()
    call(page, wrong)
    page.inside_dialog("#suggestion").fill(right)
    yield "open", page.page.screenshot()
    page.inside_dialog("#email").fill("nobody")
    send(page)
    page.inside_dialog("#email-error").wait()
    yield "refused field", page.page.screenshot()
    page.inside_dialog("#email").fill("")
    news.way.faults["/reports"] = None
    send(page)
    page.wait_for(STATUS)
    yield "failed", page.page.screenshot()
    visit(page, address)
    page.wait_for(STATUS)
    yield "reminder", page.page.screenshot()
    news.way.faults.clear()
    send(page)
    page.wait_for(f"{STATUS} && !localStorage.length")
    yield "sent", page.page.screenshot()
    page.press("Escape")
    visit(page, address)
    page.select("article", long)
    page.press("Control+Enter")
    page.wait_for(STATUS)
    yield "too long", page.page.screenshot()


def sheet(page: Chromium, pictures: dict[str, bytes], file: Path) -> None:
    """All pictures beside each other in one file."""
    page.evaluate("(document.body.style.cssText = 'display:flex;flex-wrap:wrap;gap:8px', 0)")
    for name, picture in pictures.items():
        source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        page.evaluate(
            "(([name, src]) => { const figure = document.body.appendChild(document.createElement('figure'));"
            "figure.style.cssText = 'margin:0;max-width:calc(33% - 8px)'; const image = new Image();"
            "image.src = src; image.style.width = '100%'; figure.append(name, image);"
            f"return image.decode() }})({json.dumps([name, source])})"
        )
    page.page.screenshot(path=file, full_page=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, published(Path(data)) as news:
        blank = news.pages.put("/blank", "<!doctype html><body>")
        for language, screen, scheme in product(ARTICLES, SCREENS, SCHEMES):
            page = Chromium(color_scheme=scheme, **SCREENS[screen])
            pictures = dict(states(page, news, language))
            page.close()
            paper = Chromium(viewport={"width": 1600, "height": 600})
            paper.open(blank)
            file = folder / f"{language}-{screen}-{scheme}.png"
            sheet(paper, pictures, file)
            paper.close()
            print(file)
        Chromium.quit()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m tests.browser.widget.shots FOLDER")
    main(Path(sys.argv[1]))
