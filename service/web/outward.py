"""Answers that wait for somebody else's: few at once, since each holds a thread all that time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.dispatch.client import Client
from service.dispatch.parcels import Carriers
from service.errors import Unavailable
from service.web import current

MOST = 4

_asking = threading.BoundedSemaphore(MOST)


@contextmanager
def carriers() -> Iterator[Carriers]:
    """What asks others while a request is answered; raises Unavailable where too many do."""
    if not _asking.acquire(blocking=False):
        raise Unavailable("Others wait for an answer from elsewhere; try again.", retry_after=5)
    settings = current.settings()
    client = Client(settings.webhook_allow_networks)
    try:
        yield Carriers.of(settings, client)
    finally:
        client.close()
        _asking.release()
