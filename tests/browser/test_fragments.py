"""Text fragments in Chromium: exactly the reported words light up, and no others."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Error

from service.web import fragments
from tests.browser.engines import Chromium
from tests.browser.servers import Pages, serving

pytestmark = pytest.mark.browser

EN = (
    "The bus is late. The bus is late again, and the bus is full.",
    "Tickets - day, week & month - cost 3,50 at the bus stop; well-known, isn’t it?",
    "A long paragraph follows: the council met on Monday and talked for three hours about buses, "
    "trams and what they cost; nobody of those who ride them at night was asked before, it seems.",
    "The end of it all, the bus is late once more.",
)
AR = (
    "اجتمع المجلس يوم الاربعاء وتحدث ثلاث ساعات عن الحافلات، ثم اجتمع المجلس يوم الخميس.",
    "ارتفع النهر ثلاثة أمتار خلال الليل.",
)
ZH = (
    "持有月票的乘客可以免费成坐夜班车。没有月票的乘客不能成坐夜班车。",
    "河水一夜之间上涨了三米。",
)
STYLE = "body{font:20px/2 serif;margin:20px;width:700px}::target-text{background:#f0f;color:#f0f}"
FILLED = """
async ([shot, boxes]) => {
  const image = new Image();
  image.src = shot;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let inside = 0, outside = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] < 200 || data[at + 1] > 60 || data[at + 2] < 200) continue;
    const x = (at / 4) % image.width, y = Math.floor(at / 4 / image.width);
    if (boxes.some(([l, t, r, b]) => x >= l - 1 && x <= r + 1 && y >= t - 1 && y <= b + 1)) inside++;
    else outside++;
  }
  return [inside, outside];
}"""
BOXES = """
([first, from, last, to]) => {
  const range = document.createRange();
  const text = (n) => document.querySelectorAll('p')[n].firstChild;
  range.setStart(text(first), from);
  range.setEnd(text(last), to);
  return [...range.getClientRects()].map(({left, top, right, bottom}) => [left, top, right, bottom]);
}"""


def page(paragraphs: tuple[str, ...]) -> str:
    lines = "".join(f"<p>{line.replace('&', '&amp;')}</p>" for line in paragraphs)
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><article>{lines}</article>"


@pytest.fixture
def pages() -> Iterator[Pages]:
    made = Pages()
    with serving(made.handler()) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


CASES = [
    (EN, "late", 1), (EN, "late", 0), (EN, "late", 2), (EN, "The bus is late", 1),
    (EN, "bus is", 3), (EN, "day, week & month - cost", 0), (EN, "well-known", 0),
    (EN, "3,50", 0), (EN, "isn’t", 0), (EN, "ouncil", 0), (EN, "ate agai", 0),
    (EN, "full.\n\nTickets - day", 0), (EN, EN[2].strip(), 0),
    (EN, "the bus is full.\n\n" + EN[1], 0), (EN, "more.", 0), (EN, "The", 0),
    (AR, "اجتمع المجلس", 1), (AR, "اجتمع المجلس", 0), (AR, "أمتار", 0),
    (ZH, "成坐", 0), (ZH, "成坐", 1), (ZH, "三米", 0), (ZH, "夜班车。\n\n河水", 0),
]  # fmt: skip


def selected(paragraphs: tuple[str, ...], start: int, end: int) -> list[int]:
    """The paragraph and the offset in it of both ends."""
    found, begin = [], 0
    for number, line in enumerate(paragraphs):
        for place in (start, end):
            if begin <= place <= begin + len(line):
                found += [number, place - begin]
        begin += len(line) + 2
    return found[:4]


def picture(tab: Any) -> bytes:
    """The page as it is painted; a busy Chromium now and then says it could not take one."""
    try:
        shot: bytes = tab.screenshot()
    except Error as error:
        if "Unable to capture screenshot" not in str(error):
            raise
        shot = tab.screenshot()
    return shot


@pytest.mark.parametrize(("paragraphs", "exact", "occurrence"), CASES)
def test_exactly_the_reported_words_light_up(
    chromium: Chromium, pages: Pages, paragraphs: tuple[str, ...], exact: str, occurrence: int
) -> None:
    text = "\n\n".join(paragraphs)
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(exact, start + 1)
    end = start + len(exact)
    directive = fragments.directive(exact, text[max(0, start - 64) : start], text[end : end + 64])
    pages.put("/a.html", page(paragraphs))
    tab: Any = chromium.page
    tab.goto(f"{pages.url}/a.html#:~:{directive}")
    boxes = tab.evaluate(BOXES, selected(paragraphs, start, end))
    shot = base64.b64encode(picture(tab)).decode()
    inside, outside = tab.evaluate(FILLED, [f"data:image/png;base64,{shot}", boxes])
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    assert outside == 0, json.dumps(directive)
    assert inside > 0.8 * area, json.dumps(directive)
