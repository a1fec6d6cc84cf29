"""A worker in a thread, webhooks made directly, events told as intake and desk tell them."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.db import Database, new_id
from service.dispatch import webhooks
from service.dispatch.webhooks import CheckedUrl
from service.dispatch.worker import Worker
from service.models import Attempt, Delivery, Event, Site, Webhook
from service.settings import Settings
from tests.dispatch.receivers import Receiver, running

Tell = Callable[..., UUID]
Subscribe = Callable[..., Webhook]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running(Receiver()) as made:
        yield made


@pytest.fixture
def tell(database: Database, site: Site) -> Tell:
    """Writes an event; gives back its id."""

    def tell(kind: str = "correction.created", subject: UUID | None = None, **more: Any) -> UUID:
        event = Event(
            site_id=site.id,
            type=kind,
            subject_id=subject or new_id(),
            data={"id": "a correction", **more},
            created_at=datetime.now(UTC),
        )
        with database.write() as session:
            session.add(event)
        return event.id

    return tell


@pytest.fixture
def subscribe(database: Database, site: Site) -> Subscribe:
    """Makes a webhook."""

    def subscribe(url: str, *patterns: str, site_id: UUID = site.id, **more: Any) -> Webhook:
        with database.write() as session:
            return webhooks.create(
                session, site_id, CheckedUrl(url), patterns or ("*",), now=datetime.now(UTC), **more
            )

    return subscribe


@pytest.fixture
def work(
    database: Database, settings: Settings
) -> Callable[..., contextlib.AbstractContextManager[Worker]]:
    """Runs a worker for the length of a block."""

    @contextlib.contextmanager
    def work(settings: Settings = settings, **options: Any) -> Iterator[Worker]:
        worker, stop = Worker(database, settings, **options), threading.Event()
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            worker.wake()
            thread.join(30)
            assert not thread.is_alive()

    return work


def state_of(database: Database) -> tuple[list[Delivery], list[Attempt]]:
    with database.read() as session:
        return (
            list(session.scalars(select(Delivery).order_by(Delivery.id))),
            list(session.scalars(select(Attempt).order_by(Attempt.id))),
        )
