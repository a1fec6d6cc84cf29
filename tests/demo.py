"""A `corrigenda demo` in a process of its own."""

import os
import re
import signal
import subprocess
from pathlib import Path

from tests.processes import COMMAND, Serving, environment
from tests.servers import wait_until


class Demo(Serving):
    """The demo on a free port; what it printed is in `out`, what went wrong in `err`."""

    def __init__(self, folder: Path, *, command: str = COMMAND, **variables: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.command = folder, command
        super().__init__(environment(folder / "var", **variables), "demo")

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def email(self) -> str:
        return self._printed(r"E-mail: +(\S+)")

    @property
    def password(self) -> str:
        return self._printed(r"Password: +(\S+)")

    def _printed(self, pattern: str) -> str:
        found = re.search(pattern, self.out)
        assert found, self.out + self.err
        return found[1]

    def start(self) -> None:
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            self.process = subprocess.Popen(
                [self.command, "demo", "--port", str(self.port)],
                env=self.env,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        wait_until(self.is_up, 90, "the demo answers")

    def signal(self, number: signal.Signals, *, whole_group: bool) -> int:
        """Send a signal, as a terminal (to all of the group) or a service manager does; the exit code."""
        assert self.process is not None
        (os.killpg if whole_group else os.kill)(self.process.pid, number)
        return self.process.wait(timeout=40)
