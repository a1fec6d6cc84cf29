"""The command line in a process that has it loaded, and forks for each command.

Starting Python and importing the service takes nearly a second of a processor, which hundreds of
commands of the tests would each pay. What runs the command is a process of its own all the same.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import IO

READ = 1 << 20


class Warm:
    """The process, started when it is first needed; it ends with its starter."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        env = {name: value for name, value in os.environ.items() if "CORRIGENDA_" not in name}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
                env=env,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours
        self._lock = threading.Lock()

    def run(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        files: Sequence[IO[str]],
        seconds: float,
    ) -> int:
        """Run a command with these as its standard files; its exit code, 128 + n for a signal n.

        Raises TimeoutError, and the command is killed.
        """
        sent = json.dumps([list(arguments), dict(env), os.getcwd()]).encode()
        with self._lock:
            socket.send_fds(self._socket, [b"%8d" % len(sent)], [file.fileno() for file in files])
            self._socket.sendall(sent)
            pid = int(self._socket.recv(8))
            self._socket.settimeout(seconds)
            try:
                return int(self._socket.recv(8))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._socket.settimeout(None)
                self._socket.recv(8)
                raise
            finally:
                self._socket.settimeout(None)


@cache
def warm() -> Warm:
    """The one process of this test run."""
    return Warm()


def serve(connection: socket.socket) -> None:
    """Fork for one command after another, until nobody asks any more."""
    from service import cli

    for module in sorted(set(cli.COMMANDS.values())):
        import_module(f"service.cli.{module}")
    import_module("service.app")
    while True:
        head, files, _, _ = socket.recv_fds(connection, 8, 3)
        if not head:
            return
        size, sent = int(head), b""
        while len(sent) < size:
            if not (more := connection.recv(min(READ, size - len(sent)))):
                return
            sent += more
        pid = os.fork()
        if not pid:
            connection.close()
            become(*json.loads(sent), files)
        for file in files:
            os.close(file)
        connection.sendall(b"%8d" % pid)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        connection.sendall(b"%8d" % (128 - code if code < 0 else code))


def become(arguments: list[str], env: dict[str, str], folder: str, files: list[int]) -> None:
    """Be the command, to its end."""
    from service import cli

    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = ["corrigenda", *arguments]
    code: object = 1
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code or 0))  # type: ignore[call-overload]


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
