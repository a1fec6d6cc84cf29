"""`corrigenda worker`: a process that delivers."""

import signal
import threading

import click

from service import logs
from service import settings as settings_module
from service.cli import workers
from service.cli.context import open_database


@click.command()
def worker() -> None:
    """Deliver events until a signal; any number may run beside each other."""
    settings, database = settings_module.read(), open_database()
    logs.set_up()
    made, stop = workers.make(database, settings), threading.Event()

    def end(*_: object) -> None:
        stop.set()
        made.wake()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    made.run(stop)
    database.dispose()
