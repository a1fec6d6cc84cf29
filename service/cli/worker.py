"""`corrigenda worker`: a process that delivers."""

import signal
import threading

import click

from service import logs
from service import settings as settings_module
from service.cli import workers
from service.cli.context import open_database

SIGNALS = {signal.SIGTERM, signal.SIGINT}


@click.command()
def worker() -> None:
    """Deliver events until a signal; any number may run beside each other."""
    settings, database = settings_module.read(), open_database()
    logs.set_up()
    made, stop = workers.make(database, settings), threading.Event()
    # Waited for in a thread: a handler would interrupt this one, also where it holds the lock of
    # the event that is to be set.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def end() -> None:
        signal.sigwait(SIGNALS)
        stop.set()
        made.wake()

    threading.Thread(target=end, name="signals", daemon=True).start()
    made.run(stop)
    database.dispose()
