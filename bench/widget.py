"""What the widget costs a page and its reader: bytes, requests, main thread, time, memory.

Drives Chromium against the real service and a page of its own. The peers' figures were measured
once and stand in PEERS. Prints a table; `--json FILE` keeps the figures.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.engines import Chromium, opened  # noqa: E402
from tests.browser.servers import Pages, Way, serving  # noqa: E402
from tests.processes import Serving, environment, run, run_json  # noqa: E402

# gzip -9 and brotli 11 bytes of what the page loads at once.
PEERS = {
    "giscus (an iframe follows)": (1537, 1267),
    "cusdis (+ 7,821 iframe)": (936, 741),
    "the oldest Ctrl+Enter script": (2533, None),
    "the WordPress plugin (+ jQuery)": (15169, None),
    "isso": (20452, 16854),
    "Sentry feedback": (21271, 18755),
    "Waline": (77044, None),
    "Hypothesis": (351779, None),
}
BUDGET = {"widget.js": 2000, "all to send a correction": 9000}
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


def weights(config: bytes) -> dict[str, dict[str, int]]:
    """Bytes of each part, and of all that a reader loads to send a correction."""
    parts = {
        name: sizes((ROOT / "static" / name).read_bytes()) for name in ("widget.js", "dialog.js")
    }
    parts["strings and limits (en)"] = sizes(config)
    kinds = ("raw", "gzip", "brotli")
    parts["all to send a correction"] = {
        kind: sum(part[kind] for part in parts.values()) for kind in kinds
    }
    return parts


def main_thread(engine: Chromium, act: Any) -> float:
    """Milliseconds of the main thread's tasks while something is done, by Chromium's account."""
    session = engine.context.new_cdp_session(engine.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return (
            float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
            * 1000
        )

    before = spent()
    act()
    after = spent()
    session.detach()
    return after - before


def load(engine: Chromium, url: str) -> float:
    return main_thread(engine, lambda: (engine.open(url), engine.page.wait_for_timeout(250)))


DIALOG = "document.querySelector('corrigenda-dialog')?.shadowRoot.querySelector('dialog')"

TO_DIALOG = f"""new Promise((resolve) => {{
  const began = performance.now();
  const keys = {{ key: 'Enter', ctrlKey: true, bubbles: true, composed: true }};
  document.dispatchEvent(new KeyboardEvent('keydown', keys));
  const look = () => {DIALOG}?.open
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)))
    : setTimeout(look);
  look();
}})"""

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


def measure(rounds: int, opens: int) -> dict[str, Any]:
    """All figures, with the service and the browser started and ended here."""
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
        plain = pages.put("/plain", head + ARTICLE)
        embedded = pages.put("/embedded", head + ARTICLE + script)
        address = f"{service.url}/api/v1/sites/{key}/widget?locale=en"
        with urllib.request.urlopen(address) as answer:
            config = answer.read()
        engine = stack.enter_context(opened("chromium"))
        assert isinstance(engine, Chromium)
        for url in (plain, embedded):
            load(engine, url)
        loads = [(load(engine, plain), load(engine, embedded)) for _ in range(rounds)]
        first, shifts, tasks = [], [], []
        for _ in range(rounds):
            engine.open(embedded)
            engine.wait_for("window.Corrigenda")
            engine.select("article", "brigde")
            engine.page.wait_for_timeout(300)
            tasks.append(main_thread(engine, lambda: first.append(engine.evaluate(TO_DIALOG))))
            engine.press("Escape")
            shifts.append(engine.evaluate(SHIFT))
        way.seen.clear()
        engine.open(embedded)
        engine.page.wait_for_timeout(500)
        requests = [path for _, path, _, _ in way.seen]
        engine.evaluate(open_and_close(20))
        before = memory(engine)
        engine.evaluate(open_and_close(opens))
        after = memory(engine)
    return {
        "bytes": weights(config),
        "main thread at load, ms": {
            "without": statistics.median(without for without, _ in loads),
            "with": statistics.median(with_ for _, with_ in loads),
            "difference": statistics.median(with_ - without for without, with_ in loads),
        },
        "from keys to dialog, ms": {"median": statistics.median(first), "worst": max(first)},
        "main thread at first open, ms": statistics.median(tasks),
        "layout shift": max(shifts),
        "requests before intent": requests,
        f"memory over {opens} opens": {
            "heap, bytes": [before[0], after[0]],
            "nodes": [before[1], after[1]],
            "listeners": [before[2], after[2]],
        },
    }


def show(found: dict[str, Any]) -> bool:
    """Print the tables; whether every budget is kept."""
    print(f"{'part':34}{'raw':>9}{'gzip -9':>9}{'brotli':>9}{'budget':>9}")
    for name, part in found["bytes"].items():
        budget = BUDGET.get(name, "")
        print(f"{name:34}{part['raw']:>9,}{part['gzip']:>9,}{part['brotli']:>9,}{budget:>9}")
    for name, (zipped, brotli) in PEERS.items():
        print(f"{name:34}{'':9}{zipped:>9,}{brotli or '':>9}")
    for name, value in found.items():
        if name != "bytes":
            print(f"{name}: {json.dumps(value, default=str)}")
    return all(found["bytes"][name]["gzip"] <= budget for name, budget in BUDGET.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--opens", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found = measure(chosen.rounds, chosen.opens)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    return 0 if show(found) else 1


if __name__ == "__main__":
    sys.exit(main())
