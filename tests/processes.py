"""Real processes of the product: the command line, servers, workers."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers import PATIENCE, free_port, wait_until
from tests.warm import warm

COMMAND = str(Path(sys.executable).with_name("corrigenda"))


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """The environment of a process of its own: nothing of ours leaks in from outside."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("CORRIGENDA_")
    }
    chosen = {f"CORRIGENDA_{name}": value for name, value in variables.items()}
    return {**inherited, "CORRIGENDA_DATA_DIR": str(data_dir), **chosen}


def run(
    arguments: list[str], env: dict[str, str], *, stdin: str = "", seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as errors,
    ):
        given.write(stdin)
        given.seek(0)
        code = warm().run(arguments, env, [given, out, errors], seconds)
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess([COMMAND, *arguments], code, out.read(), errors.read())


def run_json(arguments: list[str], env: dict[str, str], *, stdin: str = "") -> Any:
    """Run the command with `--json`; what it printed, parsed."""
    done = run([*arguments, "--json"], env, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Serving:
    """A `corrigenda serve` (or another serving command) on a free port, as a context manager."""

    def __init__(self, env: dict[str, str], *arguments: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {"CORRIGENDA_PUBLIC_URL": self.url, **env}
        self.arguments = list(arguments) or ["serve"]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [COMMAND, *self.arguments, "--port", str(self.port)],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.wait()

    def wait(self) -> None:
        """Wait until it answers; what does not is not left running."""
        try:
            wait_until(self.is_up, PATIENCE, f"{self.arguments} answers")
        except BaseException:
            self.kill()
            raise

    def is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.arguments} ended with {self.process.returncode}"
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=40)

    def kill(self) -> None:
        """`kill -9` of the whole group: the master and its workers at once."""
        assert self.process is not None
        os.killpg(self.process.pid, 9)
        self.process.wait(timeout=10)

    def __enter__(self) -> "Serving":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.stop()
