"""A real server with its log at hand, and a client with everything that could tell readers apart."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.conftest import ORIGIN
from tests.processes import COMMAND, Serving

AGENT = "Fingerprint/9.9 (a very particular browser)"


class Logged(Serving):
    """A server that writes its log into a file."""

    def start(self) -> None:
        self.log = Path(self.env["CORRIGENDA_DATA_DIR"]) / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [COMMAND, *self.arguments, "--port", str(self.port)],
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()


def ask(
    url: str, sent: Any = None, method: str | None = None, **headers: str
) -> tuple[int, bytes, Any]:
    given = {
        "User-Agent": AGENT,
        "Accept-Language": "tlh-x-klingon",
        "Referer": f"{ORIGIN}/a?private=1",
        **headers,
    }
    data = (
        sent if isinstance(sent, bytes) else json.dumps(sent).encode() if sent is not None else None
    )
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **given}, method=method
    )
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        return answer.status, answer.read(), answer.headers
