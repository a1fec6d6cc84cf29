"""What the widget costs a page and its reader: bytes, requests, main thread, time, memory.

Drives Chromium against the real service and pages of its own. Main-thread time is the processor
time of the renderer's tasks in Chromium's trace, less that of the same page without the widget. The
peers' figures were measured once and stand in PEERS. Prints tables; `--json FILE` keeps the
figures. Fails when a budget is not kept.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser.engines import ROOT, Chromium, opened
from tests.browser.servers import Pages, Way, serving
from tests.processes import Serving, environment, run, run_json
from tests.support.conftest import text

# gzip -9 and brotli 11 bytes of what the page loads at once; requests and milliseconds of the main
# thread until the page is idle, where they were measured.
PEERS: dict[str, tuple[int, int | None, int | None, int | None]] = {
    "cusdis (+ 7,821 iframe)": (936, 741, None, None),
    "giscus (an iframe follows)": (1537, 1267, 3, 41),
    "the oldest Ctrl+Enter script": (2533, None, None, None),
    "the WordPress plugin (+ jQuery)": (15169, None, None, None),
    "isso": (20452, 16854, 6, 71),
    "Sentry feedback": (21271, 18755, 1, 30),
    "Waline": (77044, None, None, None),
    "Hypothesis": (351779, None, 12, 257),
}
ASK = "a page's places, with an ask"
# As in .size-limit.mjs.
BUDGET = {"widget.js": 2000, "all to send a correction": 9200, ASK: 5000}
# Milliseconds from the keys to the dialog, once its parts are there.
PROMPT = 100
TASKS = "disabled-by-default-devtools.timeline"
ARTICLE = "<article><h1>Bridge opens</h1><p>The new brigde was opened on Friday.</p></article>" + (
    "<p>Something else to read.</p>" * 200
)


def sizes(data: bytes) -> dict[str, int]:
    """Raw, gzip -9 and brotli 11 bytes; brotli by Node.js, which has it built in."""
    script = (
        "const { brotliCompressSync: squeeze } = require('zlib');"
        "process.stdout.write(String(squeeze(require('fs').readFileSync(0)).length))"
    )
    brotli = subprocess.run(["node", "-e", script], input=data, capture_output=True, check=True)
    return {
        "raw": len(data),
        "gzip": len(gzip.compress(data, 9, mtime=0)),
        "brotli": int(brotli.stdout),
    }


def weights(config: bytes, places: dict[str, bytes]) -> dict[str, dict[str, int]]:
    """Bytes of each part, of all that a reader loads to send a correction, and of the places."""

    def part(name: str) -> dict[str, int]:
        return sizes((ROOT / "static" / name).read_bytes())

    sending = {
        "widget.js": part("widget.js"),
        "dialog.js": part("dialog.js"),
        "strings and limits (en)": sizes(config),
    }
    total = {
        kind: sum(each[kind] for each in sending.values()) for kind in ("raw", "gzip", "brotli")
    }
    beside = {name: sizes(script) for name, script in places.items()}
    return {**sending, "all to send a correction": total, **beside}


def main_thread(engine: Chromium, act: Callable[[], Any]) -> float:
    """Milliseconds of processor time of the renderers' main threads while something is done."""
    browser = engine.context.browser
    assert browser
    browser.start_tracing(page=engine.page, categories=[TASKS])
    act()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    spent: int = sum(
        event.get("tdur", 0)
        for event in events
        if event["name"] == "RunTask" and (event["pid"], event["tid"]) in threads
    )
    return spent / 1000


def load(engine: Chromium, url: str) -> float:
    """Milliseconds of the main thread until a page is idle."""

    def act() -> None:
        engine.open(url)
        engine.page.wait_for_timeout(250)

    return main_thread(engine, act)


DIALOG = "document.querySelector('corrigenda-dialog')?.shadowRoot.querySelector('dialog')"

KEYS = """document.dispatchEvent(new KeyboardEvent('keydown', {
  key: 'Enter', ctrlKey: true, bubbles: true, composed: true,
}))"""

TO_DIALOG = f"""new Promise((resolve) => {{
  const began = performance.now();
  {KEYS};
  const look = () => {DIALOG}?.open
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)))
    : setTimeout(look);
  look();
}})"""

PAINTED = "new Promise((go) => requestAnimationFrame(() => setTimeout(go)))"

SHIFT = """new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value }))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => resolve(sum), 300);
})"""


def open_and_close(times: int) -> str:
    """An expression that opens and closes the dialog so many times."""
    return f"""(async () => {{
      const is = () => !!{DIALOG}?.open;
      const until = async (wanted) => {{
        while (is() !== wanted) await new Promise((go) => setTimeout(go));
      }};
      for (let n = 0; n < {times}; n++) {{
        Corrigenda.open();
        await until(true);
        Corrigenda.close();
        await until(false);
        await new Promise((go) => setTimeout(go));
      }}
      return true;
    }})()"""


def memory(engine: Chromium) -> tuple[int, int, int]:
    """Bytes of the JavaScript heap, DOM nodes and listeners after a collection."""
    session = engine.context.new_cdp_session(engine.page)
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return int(metrics["JSHeapUsedSize"]), int(metrics["Nodes"]), int(metrics["JSEventListeners"])


@dataclass
class Site:
    """A news site with the widget, and the service behind."""

    engine: Chromium
    way: Way
    plain: str
    embedded: str
    with_ask: str
    config: bytes
    places: dict[str, bytes]

    def requests(self, url: str) -> list[str]:
        """What a page fetches of the service before its reader means anything."""
        self.way.seen.clear()
        self.engine.open(url)
        self.engine.page.wait_for_timeout(500)
        return [
            path.partition("?")[0].rpartition("/")[2]
            for method, path, _, _ in self.way.seen
            if method == "GET"
        ]


@contextmanager
def site() -> Iterator[Site]:
    """Everything that is measured, started and ended here."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = environment(folder)
        assert run(["migrate"], env).returncode == 0
        pages = Pages()
        pages.url = f"http://127.0.0.1:{stack.enter_context(serving(pages.handler()))}"
        key = run_json(["site", "create", "Bench", "--origin", pages.url], env)["key"]
        service = stack.enter_context(Serving(env))
        way = Way(service.port)
        way.url = f"http://127.0.0.1:{stack.enter_context(serving(way.handler()))}"
        head = "<!doctype html><html lang=en><meta charset=utf-8><title>Bench</title><body>"
        script = f'<script src="{way.url}/static/widget.js" data-site="{key}" async></script>'
        place = '<div data-corrigenda="support"></div>'
        api = f"{service.url}/api/v1"
        config = get(f"{api}/sites/{key}/widget?locale=en")
        empty = get(f"{api}/sites/{key}/places.js?locale=en&support=1")
        stack.callback(Chromium.quit)
        engine = stack.enter_context(opened("chromium"))
        assert isinstance(engine, Chromium)
        found = Site(
            engine,
            way,
            pages.put("/plain", head + ARTICLE),
            pages.put("/embedded", head + ARTICLE + script),
            pages.put("/with-ask", head + ARTICLE + place + script),
            config,
            {"a page's places, empty": empty},
        )
        token = run_json(["token", "create", "--site", key, "--scope", "publish"], env)["token"]
        variants = [{"key": "a", "texts": {"en": text()}}]
        get(
            f"{api}/campaigns/autumn",
            {"name": "Autumn", "variants": variants},
            Authorization=f"Bearer {token}",
        )
        found.places[ASK] = get(f"{api}/sites/{key}/places.js?locale=en&support=1")
        yield found


def get(url: str, sent: Any = None, **headers: str) -> bytes:
    """What the service answers; with something to send, it is put there."""
    body = None if sent is None else json.dumps(sent).encode()
    headers |= {"Content-Type": "application/json"} if body else {}
    asked = urllib.request.Request(url, body, headers, method="PUT" if body else "GET")
    with urllib.request.urlopen(asked) as answer:
        given: bytes = answer.read()
    return given


def loading(site: Site, rounds: int) -> dict[str, float]:
    """Main-thread milliseconds of a page without and with the widget, in turn."""
    for url in (site.plain, site.embedded):
        load(site.engine, url)
    loads = [
        (load(site.engine, site.plain), load(site.engine, site.embedded)) for _ in range(rounds)
    ]
    without, with_ = (statistics.median(each) for each in zip(*loads, strict=True))
    return {
        "without": without,
        "with": with_,
        "difference": statistics.median(after - before for before, after in loads),
        "ratio": with_ / without,
    }


def opening(site: Site, rounds: int) -> dict[str, Any]:
    """The first opening: time, main thread beyond that of the keys alone, layout shift."""
    engine, times, costs, shifts = site.engine, [], [], []
    for _ in range(rounds):
        engine.open(site.plain)
        engine.select("article", "brigde")
        keys = main_thread(engine, lambda: engine.evaluate(f"({KEYS}, {PAINTED})"))
        engine.open(site.embedded)
        engine.wait_for("window.Corrigenda")
        engine.select("article", "brigde")
        engine.page.wait_for_timeout(300)
        spent = main_thread(engine, lambda: times.append(engine.evaluate(TO_DIALOG)))
        costs.append(spent - keys)
        engine.press("Escape")
        shifts.append(engine.evaluate(SHIFT))
    return {
        "from keys to dialog, ms": {"median": statistics.median(times), "worst": max(times)},
        "main thread at first open, ms": statistics.median(costs),
        "layout shift": max(shifts),
    }


def remembering(site: Site, opens: int) -> dict[str, list[int]]:
    """What the page holds after its first openings and after many."""
    site.engine.open(site.embedded)
    site.engine.wait_for("window.Corrigenda")
    site.engine.evaluate(open_and_close(20))
    before = memory(site.engine)
    site.engine.evaluate(open_and_close(opens))
    after = memory(site.engine)
    names = ("heap, bytes", "nodes", "listeners")
    return {name: [before[n], after[n]] for n, name in enumerate(names)}


def measure(rounds: int, opens: int) -> dict[str, Any]:
    """All figures."""
    with site() as news:
        return {
            "bytes": weights(news.config, news.places),
            "main thread at load, ms": loading(news, rounds),
            **opening(news, rounds),
            "requests before intent": news.requests(news.embedded),
            "requests before intent, with an ask": news.requests(news.with_ask),
            f"memory over {opens} opens": remembering(news, opens),
        }


def is_kept(found: dict[str, Any]) -> bool:
    """Whether every budget is kept."""
    [held] = (value for name, value in found.items() if name.startswith("memory"))
    return all(
        (
            *(found["bytes"][name]["gzip"] <= budget for name, budget in BUDGET.items()),
            found["from keys to dialog, ms"]["median"] <= PROMPT,
            found["layout shift"] == 0,
            found["requests before intent"] == ["widget.js"],
            found["requests before intent, with an ask"] == ["widget.js", "places.js"],
            held["nodes"][1] <= held["nodes"][0],
            held["listeners"][1] <= held["listeners"][0],
        )
    )


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    print(f"{'part':34}{'raw':>9}{'gzip -9':>9}{'brotli':>9}{'budget':>9}")
    for name, part in found["bytes"].items():
        budget = BUDGET.get(name, "")
        print(f"{name:34}{part['raw']:>9,}{part['gzip']:>9,}{part['brotli']:>9,}{budget:>9}")
    cost = found["main thread at load, ms"]["difference"]
    requests = len(found["requests before intent"])
    print(f"\n{'loaded with the page':34}{'gzip -9':>9}{'brotli':>9}{'requests':>9}{'ms':>9}")
    own = found["bytes"]["widget.js"]
    print(f"{'this widget':34}{own['gzip']:>9,}{own['brotli']:>9,}{requests:>9}{cost:>9.1f}")
    for name, (zipped, brotli, asked, spent) in PEERS.items():
        print(f"{name:34}{zipped:>9,}{brotli or '':>9}{asked or '':>9}{spent or '':>9}")
    print()
    for name, value in found.items():
        if name != "bytes":
            print(f"{name}: {json.dumps(value, default=str)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--opens", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found = measure(chosen.rounds, chosen.opens)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    show(found)
    return 0 if is_kept(found) else 1


if __name__ == "__main__":
    sys.exit(main())
