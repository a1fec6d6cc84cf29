"""`corrigenda serve`."""

import ctypes
import errno
import gc
import logging
import socket
import threading
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from service import logs
from service import settings as settings_module
from service.errors import Unavailable, invalid
from service.settings import Settings

if TYPE_CHECKING:
    from service.dispatch.worker import Worker

log = logging.getLogger(__name__)

DRAIN_SECONDS = 20
UNHEARD_SECONDS = 600
"""So long a request whose client has gone may go on: what is begun is done, and kept."""
REQUEST_LINE_BYTES = 8190
"""As much as Gunicorn can: an article's address of 2,048 code points, percent-encoded, is long."""
BACKLOG = 2048
_M_ARENA_MAX = -8
"""The number of glibc's setting in `malloc.h`."""


class JsonLogger(Logger):
    """Gunicorn's own messages in the form of all other logs."""

    def setup(self, cfg: Any) -> None:
        """Give every handler our form."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.JsonLines())


class Dispatch:
    """A thread that delivers beside the answers."""

    def __init__(self, worker: "Worker") -> None:
        self._worker, self._stop = worker, threading.Event()
        self._thread = threading.Thread(
            target=worker.run, args=(self._stop,), name="dispatch", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Have it begin nothing more."""
        self._stop.set()
        self._worker.wake()

    def end(self) -> None:
        """Wait until what is under way has arrived and is written down."""
        self.stop()
        self._thread.join(DRAIN_SECONDS)


class Server(BaseApplication):
    """Gunicorn with an event loop; a worker thread of dispatch rides along where asked for."""

    def __init__(
        self, settings: Settings, options: dict[str, Any], *, threads: int, with_worker: bool
    ) -> None:
        self.settings, self.options = settings, options
        self.threads, self.with_worker = threads, with_worker
        self.dispatch: Dispatch | None = None
        super().__init__()

    def load_config(self) -> None:
        """Take the options as they are; read no file."""
        for name, value in self.options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", lambda _server, _worker: self.end())

    def end(self) -> None:
        """Let deliveries under way finish."""
        if self.dispatch:
            self.dispatch.end()

    def load(self) -> Any:
        """The application in the serving process: engines do not survive a fork."""
        # What is loaded stays: looking for garbage among it takes a fifth of the start.
        gc.disable()
        # Imported here, it weighs nothing in the process that only watches over this one.
        from service.web.asgi import Asgi

        app = Asgi(self.wire(), self.threads, reads_at_once=self.settings.is_sqlite)
        # What stays for good is not looked through again and again; what little of it is garbage
        # weighs less than a look for it takes.
        gc.freeze()
        gc.set_threshold(20_000, 10, 10)
        gc.enable()
        return app

    def wire(self) -> Any:
        """The application, and the worker that its events wake."""
        from service.app import create_app
        from service.cli import workers
        from service.db import Database, sqlite_fault

        _spare_memory()
        logs.set_up()
        database = Database(self.settings.database_url)
        if database.is_sqlite and (fault := sqlite_fault()):
            log.warning(fault)
        if not self.with_worker:
            return create_app(self.settings, database)
        worker = workers.make(database, self.settings)
        app = create_app(self.settings, database, on_event=worker.wake)
        self.dispatch = Dispatch(worker)
        return app


def _spare_memory() -> None:
    """Have glibc share two heaps among all threads; each thread's own would never be given back."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def run(settings: Settings, *, host: str, port: int, workers: int, threads: int) -> None:
    """Serve until a signal; raises InvalidFields where the settings do not allow it."""
    if workers > 1 and not settings.redis_url:
        raise invalid(
            "/workers",
            "More than one process needs CORRIGENDA_REDIS_URL: "
            "limits kept in one process would not hold.",
        )
    _check_writable(settings.data_dir)
    chosen = options(listen(host, port), workers=workers)
    chosen["worker_tmp_dir"] = str(settings.data_dir)
    # What is loaded so far the serving process shares, as long as neither touches it.
    gc.freeze()
    Server(settings, chosen, threads=threads, with_worker=settings.is_sqlite).run()


def _check_writable(folder: Path) -> None:
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written to: {error.strerror}.") from None


def options(listener: socket.socket, *, workers: int) -> dict[str, Any]:
    """Gunicorn's options for serving on a socket that listens already."""
    return {
        # Gunicorn takes the descriptor over, and closes it.
        "bind": f"fd://{listener.detach()}",
        "workers": workers,
        "worker_class": "service.cli.patience.Worker",
        "asgi_loop": "asyncio",
        "asgi_lifespan": "off",
        "asgi_disconnect_grace_period": UNHEARD_SECONDS,
        "graceful_timeout": DRAIN_SECONDS,
        "limit_request_line": REQUEST_LINE_BYTES,
        "control_socket_disable": True,
        "logger_class": JsonLogger,
        "proc_name": "corrigenda",
    }


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises Unavailable where the port is taken or not ours to use."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(f"Port {port} is taken by another program; try --port.") from None
        raise Unavailable(f"Cannot listen on {host}, port {port}: {error.strerror}.") from None


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes; more than one needs Redis.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="Threads for all but reports.",
)
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve readers and editors; on SQLite also deliver."""
    run(settings_module.read(), host=host, port=port, workers=workers, threads=threads)
