"""Whatever is selected in an article, the stored selector points at exactly that."""

import json
import random
import urllib.request
from typing import Any

import pytest
from sqlalchemy import select

from service import hashing
from service.db import Database
from service.models import Report
from service.text import article_text
from tests.browser.engines import DIALOG, Chromium, Engine
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

SELECTIONS = 200
SEED = 20261123
SLUGS = ("night-buses", "library", "rain")

# The drawing's letters are not text; everything else that is seen is.
PREPARE = """(() => {
  const article = document.querySelector('article');
  const isDrawn = (node) => !!node.parentElement.closest('svg');
  const textsOf = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode())
      if (!isDrawn(node) && node.data.trim()) found.push(node);
    return found;
  };
  const blocks = [...article.querySelectorAll('h1,h2,p,li,th,td,caption,figcaption')];
  // A point between two code points of a block's text, by a fraction of its length.
  const pointOf = (block, fraction) => {
    const nodes = textsOf(block);
    const whole = nodes.reduce((sum, node) => sum + [...node.data].length, 0);
    let left = Math.floor(fraction * (whole + 1));
    for (const node of nodes) {
      const points = [...node.data];
      if (left <= points.length) return [node, points.slice(0, left).join('').length];
      left -= points.length;
    }
    throw new Error('beyond the block');
  };
  const textOf = (range) => {
    const copy = range.cloneContents();
    for (const svg of copy.querySelectorAll('svg')) svg.remove();
    return copy.textContent;
  };
  window.choose = (first, from, last, to) => {
    const range = document.createRange();
    range.setStart(...pointOf(blocks[first], from));
    range.setEnd(...pointOf(blocks[last], to));
    const before = document.createRange();
    before.setStart(article, 0);
    before.setEnd(range.startContainer, range.startOffset);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return { selected: textOf(range), before: textOf(before) };
  };
  return blocks.length;
})()"""

REPORT = f"""window.report = async (comment) => {{
  const until = async (ask) => {{
    for (;;) {{
      const found = ask();
      if (found) return found;
      await new Promise((go) => setTimeout(go));
    }}
  }};
  const dialog = await until(() => {DIALOG}?.querySelector('dialog:modal'));
  const field = dialog.querySelector('textarea[name=comment]');
  field.value = comment;
  field.dispatchEvent(new Event('input', {{ bubbles: true }}));
  dialog.querySelector('form').requestSubmit();
  await until(() => dialog.querySelector('[role=status] a'));
  // At its close the dialog gives the page its selection back: only then is the next one made.
  const closed = new Promise((done) => dialog.addEventListener('close', done, {{ once: true }}));
  dialog.querySelector('#cancel').click();
  await closed;
  return true;
}}"""


def squeezed(text: str) -> str:
    """The text without the white space that browsers collapse: what no rule may change."""
    return text.translate(dict.fromkeys(map(ord, " \t\n\f\r")))


def choose(engine: Engine, dice: random.Random, block: int, blocks: int) -> dict[str, str]:
    """Select at random from this block on; now and then into the next ones."""
    while True:
        last = min(block + dice.choice([0, 0, 0, 1, 2]), blocks - 1)
        ends = (
            sorted([dice.random(), dice.random()])
            if last == block
            else [dice.random(), dice.random()]
        )
        found: dict[str, str] = engine.evaluate(f"choose({block}, {ends[0]}, {last}, {ends[1]})")
        if squeezed(found["selected"]) and len(found["selected"]) <= 450:
            return found


def send(engine: Engine, comment: str) -> None:
    """Report what is selected: the keys by the driver, the rest in the page, in one go."""
    engine.press("Control+Enter")
    engine.evaluate(f"report({json.dumps(comment)})")


def test_stored_selectors_point_at_exactly_what_was_selected(
    demo: Demo, chromium: Chromium
) -> None:
    dice = random.Random(SEED)
    chosen: dict[str, tuple[str, dict[str, str]]] = {}
    pages: dict[str, int] = {}
    for page, slug in enumerate(SLUGS):
        chromium.open(f"{demo.url}/demo/{slug}")
        chromium.wait_for("window.Corrigenda")
        pages[slug] = blocks = chromium.evaluate(PREPARE)
        chromium.evaluate(f"({REPORT}, 0)")
        share = SELECTIONS * (page + 1) // len(SLUGS) - SELECTIONS * page // len(SLUGS)
        assert share >= blocks, "every block gets its turn"
        for turn in range(share):
            comment = f"{slug} {turn}"
            chosen[comment] = slug, choose(chromium, dice, turn % blocks, blocks)
            send(chromium, comment)
    reports = stored(demo)
    assert len(reports) == SELECTIONS
    texts = {slug: article_text(html_of(f"{demo.url}/demo/{slug}")) for slug in SLUGS}
    for comment, (slug, selection) in chosen.items():
        report, text = reports[comment], texts[slug]
        assert report.start is not None
        assert report.revision == hashing.short(text), comment
        assert text[report.start : report.end] == report.exact, comment
        assert squeezed(report.exact or "") == squeezed(selection["selected"]), comment
        assert squeezed(text[: report.start]) == squeezed(selection["before"]), comment
        assert_context(report, text, comment)


def assert_context(report: Any, text: str, comment: str) -> None:
    before, after = text[: report.start], text[report.end :]
    assert before.endswith(report.prefix), comment
    assert after.startswith(report.suffix), comment
    # Up to 64 code points; a cluster that does not fit whole is left out.
    assert min(len(before), 50) <= len(report.prefix) <= 64, comment
    assert min(len(after), 50) <= len(report.suffix) <= 64, comment


def stored(demo: Demo) -> dict[str, Report]:
    """The reports by their comment."""
    database = Database(f"sqlite:///{demo.folder / 'var' / 'corrigenda.db'}")
    with database.read() as session:
        found = {report.comment or "": report for report in session.scalars(select(Report))}
    database.dispose()
    return {comment: report for comment, report in found.items() if comment.split(" ")[0] in SLUGS}


def html_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: str = answer.read().decode()
    return body
