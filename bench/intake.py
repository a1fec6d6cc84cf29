"""Real corrections through a real browser: `make bench-intake [CORPUS=file]`.

Each case is served as an article of a news site; Chromium selects the words that were wrong,
presses Ctrl+Enter and sends what they became. The editors' API must give back exactly that
excerpt, its context and the suggestion, at the place that the text rule gives. Exit code 1 unless
all do.
"""

import gzip
import html
import json
import os
import random
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from service.text import article_text
from tests.browser.engines import Chromium
from tests.browser.servers import Pages, serving
from tests.processes import Serving, environment, run, run_json

CASES = int(os.environ.get("CASES", "200"))
SEED = int(os.environ.get("SEED", "1"))
CORPUS = Path(
    os.environ.get("CORPUS") or next(map(str, Path("..").glob("*/corpus/*.jsonl.gz")), "corpus")
)
CONTEXT = 64
# A cluster at the context's edge that does not fit whole is left out.
LEAST_CONTEXT = 48

SELECT = """([paragraph, start, end]) => {
  const node = document.querySelectorAll('article > p')[paragraph].firstChild;
  const units = (points) => [...node.data].slice(0, points).join('').length;
  const range = document.createRange();
  range.setStart(node, units(start));
  range.setEnd(node, units(end));
  node.parentElement.scrollIntoView({ block: 'center' });
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""


def drawn(corpus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases at random, from every language at least one."""
    dice = random.Random(SEED)
    dice.shuffle(corpus)
    languages: dict[str, dict[str, Any]] = {}
    for case in corpus:
        languages.setdefault(case["lang"], case)
    firsts = list(languages.values())
    taken = {case["id"] for case in firsts}
    rest = [case for case in corpus if case["id"] not in taken]
    return (firsts + rest)[:CASES]


def page(case: dict[str, Any], script: str) -> str:
    """The article as a page: every paragraph keeps its white space."""
    paragraphs = "\n".join(
        f'<p style="white-space:pre-wrap">{html.escape(text)}</p>'
        for text in case["before_text"].split("\n\n")
    )
    return (
        f'<!doctype html><html lang="{case["lang"]}"><meta charset="utf-8">'
        f"<title>{case['id']}</title>"
        f"<article>\n{paragraphs}\n</article>{script}"
    )


def place(case: dict[str, Any]) -> tuple[int, int, int]:
    """The paragraph that holds the words, and where in it, in code points."""
    before = case["before_text"][: case["start"]].split("\n\n")
    start = len(before[-1])
    return len(before) - 1, start, start + len(case["exact"])


def send(reader: Chromium, url: str, case: dict[str, Any]) -> None:
    """Do what the reader did."""
    reader.open(url)
    reader.wait_for("window.Corrigenda")
    reader.page.evaluate(SELECT, place(case))
    reader.press("Control+Enter")
    suggestion = reader.inside_dialog("textarea[name=suggestion]").wait()
    suggestion.focus()
    reader.press("Control+a")
    reader.page.keyboard.insert_text(case["suggestion"])
    reader.inside_dialog("button[type=submit]").click()
    reader.inside_dialog("[role=status] a").wait()


def faults(case: dict[str, Any], served: str, found: dict[str, Any] | None) -> list[str]:
    """What differs between what was wrong on the page and what the API says."""
    if found is None:
        return ["no correction"]
    # By the rule a paragraph without text gives no separator either.
    paragraphs = case["before_text"].split("\n\n")
    text = "\n\n".join(filter(None, paragraphs))
    paragraph, inside, _ = place(case)
    start = sum(len(before) + 2 for before in paragraphs[:paragraph] if before) + inside
    end = start + len(case["exact"])
    quote, position = found["selector"]
    prefix, suffix = quote["prefix"], quote["suffix"]
    checks = {
        "text": article_text(served) == text,
        "exact": quote["exact"] == case["exact"] == text[start:end],
        "place": (position["start"], position["end"]) == (start, end),
        "prefix": text[:start].endswith(prefix)
        and min(start, LEAST_CONTEXT) <= len(prefix) <= CONTEXT,
        "suffix": text[end:].startswith(suffix)
        and min(len(text) - end, LEAST_CONTEXT) <= len(suffix) <= CONTEXT,
        "suggestion": found["suggestions"] == [{"text": case["suggestion"], "count": 1}],
        "language": found["article"]["lang"] == case["lang"],
    }
    return [name for name, holds in checks.items() if not holds]


def corrections(service: str, token: str) -> dict[str, dict[str, Any]]:
    """All corrections by their article's address, through the editors' API."""
    found: dict[str, dict[str, Any]] = {}
    asked: dict[str, str] = {"limit": "200"}
    while True:
        request = urllib.request.Request(
            f"{service}/api/v1/corrections?{urlencode(asked)}",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            listed = json.load(answer)
        found |= {item["article"]["url"]: item for item in listed["items"]}
        if listed["next"] is None:
            return found
        asked["cursor"] = listed["next"]


def main() -> int:
    """Run all cases; the number of those that differ."""
    if not CORPUS.is_file():
        sys.exit(f"bench-intake: no corpus at {CORPUS}; say where: make bench-intake CORPUS=file")
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        cases = drawn([json.loads(line) for line in lines])
    began = time.monotonic()
    pages = Pages()
    problems: dict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, serving(pages.handler()) as port:
        pages.url = f"http://127.0.0.1:{port}"
        env = environment(Path(folder), REPORT_LIMITS="100000/minute")
        assert run(["migrate"], env).returncode == 0
        key = run_json(["site", "create", "News", "--origin", pages.url], env)["key"]
        token = run_json(["token", "create", "--site", key, "--scope", "read"], env)["token"]
        with Serving(env) as service:
            script = (
                f'<script src="{service.url}/static/widget.js" data-site="{key}" async></script>'
            )
            served = {case["id"]: page(case, script) for case in cases}
            reader = Chromium()
            for case in cases:
                url = pages.put(f"/{case['id']}", served[case["id"]])
                try:
                    send(reader, url, case)
                except Exception as error:
                    problems[case["id"]].append(f"not sent: {error}")
            Chromium.quit()
            stored = corrections(service.url, token)
    for case in cases:
        if not problems[case["id"]]:
            found = stored.get(f"{pages.url}/{case['id']}")
            problems[case["id"]] = faults(case, served[case["id"]], found)
    return tell(cases, problems, time.monotonic() - began)


def tell(cases: list[dict[str, Any]], problems: dict[str, list[str]], seconds: float) -> int:
    """Print the counts and every case that differs."""
    asked = Counter(case["lang"] for case in cases)
    held = Counter(case["lang"] for case in cases if not problems[case["id"]])
    for lang, count in sorted(asked.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"{lang:8} {held[lang]:4} of {count:4}")
    for case in cases:
        if problems[case["id"]]:
            print(f"DIFFERS {case['id']} ({case['lang']}): {', '.join(problems[case['id']])}")
    print(
        f"{held.total()} of {len(cases)} cases in {len(asked)} languages came back exactly "
        f"({seconds:.0f} s, seed {SEED})"
    )
    return len(cases) - held.total()


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
