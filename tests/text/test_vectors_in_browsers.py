"""The vectors of the text rule, parsed and read by real engines."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from tests.conftest import missing
from tests.text.engines import ENGINES, opened

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/text-rule.json").read_text())
ESBUILD = ROOT / "node_modules/.bin/esbuild"

PAGE = """<!doctype html><meta charset="utf-8"><title>Vectors</title><script>%s</script><script>
const load = (i) => new Promise((done) => {
  const frame = document.createElement('iframe');
  frame.onload = () => done(frame);
  frame.src = `/vectors/${i}`;
  document.body.append(frame);
});
(async () => {
  const vectors = await (await fetch('/vectors')).json();
  const texts = [];
  for (let i = 0; i < vectors.length; i++) {
    const frame = await load(i);
    try {
      texts.push(rule.articleText(rule.articleOf(frame.contentDocument, vectors[i].selector)).text);
    } catch (error) {
      texts.push(String(error));
    }
    frame.remove();
  }
  await fetch('/texts', { method: 'POST', body: JSON.stringify(texts) });
})();
</script><body>"""


class Pages(ThreadingHTTPServer):
    """Serves the vectors as pages and takes what an engine read in them."""

    daemon_threads = True

    def __init__(self, bundle: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bundle = bundle
        self.texts: SimpleQueue[list[str]] = SimpleQueue()


class _Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer("text/html", PAGE % self.server.bundle)
        elif self.path == "/vectors":
            self._answer("application/json", json.dumps(VECTORS))
        elif self.path.startswith("/vectors/"):
            self._answer("text/html", VECTORS[int(self.path.rpartition("/")[2])]["html"])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.texts.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer("text/plain", "")

    def _answer(self, kind: str, body: str) -> None:
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    if not ESBUILD.exists():
        missing(
            "Node's packages are not installed (npm ci): the text rule is not tried in browsers"
        )
    bundle = subprocess.run(
        [ESBUILD, "widget/src/text.ts", "--bundle", "--format=iife", "--global-name=rule"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    with Pages(bundle) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.browser
@pytest.mark.parametrize("engine", ENGINES)
def test_every_vector_reads_the_same(engine: str, pages: Pages) -> None:
    with opened(engine, f"http://127.0.0.1:{pages.server_port}/") as process:
        if process is None:
            missing(f"{engine} is not installed: the text rule is not tried in it")
        try:
            texts = pages.texts.get(timeout=120)
        except Empty:
            pytest.fail(f"{engine} did not report within two minutes")
    differing = {
        vector["name"]: (text, vector["text"])
        for vector, text in zip(VECTORS, texts, strict=True)
        if text != vector["text"]
    }
    assert differing == {}
