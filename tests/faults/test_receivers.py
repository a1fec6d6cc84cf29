"""Every kind of receiver at once, one worker: each gets what its behaviour deserves, none delays another."""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from service.db import Database
from service.dispatch.client import Client
from service.models import Delivery, DeliveryState, Webhook
from tests.conftest import Say
from tests.dispatch import receivers
from tests.dispatch.conftest import Subscribe, Tell, state_of, subscribe, tell, work
from tests.dispatch.receivers import Misbehaving, Receiver, misbehaving, running, server_tls
from tests.dispatch.test_client import LOOPBACK
from tests.dispatch.test_worker import Work
from tests.faults.load import row, store_of
from tests.servers import wait_until

__all__ = ["subscribe", "tell", "work"]

EVENTS = 3

Do = Callable[[Misbehaving, socket.socket], None]

MISBEHAVING: dict[str, tuple[Do, bool, str]] = {
    "hanging": (receivers.hang, True, "timeout"),
    "hanging unread": (receivers.hang, False, "timeout"),
    "dripping head": (receivers.drip_head, True, "timeout"),
    "endless interim answers": (receivers.flood_interim, True, "timeout"),
    "dripping body": (receivers.drip_body, True, "500"),
    "huge": (receivers.huge, True, "200"),
    "gzip bomb": (receivers.bomb, True, "200"),
    "reset": (receivers.reset, True, "reset"),
    "half a head": (receivers.truncate_head, True, "protocol"),
    "another protocol": (receivers.speak_nonsense, True, "protocol"),
}
"""What the receiver does, whether it reads, and what is written down: a fault or a status."""

STATUSES = (301, 302, 307, 308, 400, 404, 410, 429, 500, 503)

RETRY_AFTER = 7200


def test_each_receiver_gets_what_it_deserves_and_none_delays_another(
    database: Database, subscribe: Subscribe, tell: Tell, work: Work, say: Say
) -> None:
    expected: dict[object, tuple[str, str]] = {}
    inside = {"Location": "http://169.254.169.254/", "Retry-After": str(RETRY_AFTER)}
    with ExitStack() as stack:
        good = stack.enter_context(running(Receiver()))
        fine = subscribe(good.url)
        for name, (do, reads, outcome) in MISBEHAVING.items():
            url = stack.enter_context(misbehaving(do, reads=reads)).url
            expected[subscribe(url).id] = name, outcome
        for status in STATUSES:
            answering = Receiver(lambda _got, status=status: (status, inside))
            url = stack.enter_context(running(answering)).url
            expected[subscribe(url).id] = f"answers {status}", str(status)
        untrusted: ssl.SSLContext = server_tls()
        secret = stack.enter_context(running(Receiver(), untrusted))
        https = secret.url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        expected[subscribe(https).id] = "bad certificate", "tls"
        for _ in range(EVENTS):
            tell()
        began = time.monotonic()
        stack.enter_context(work(client=Client(LOOPBACK, seconds=3)))
        good.wait_for(EVENTS)
        arrived = time.monotonic() - began
        wait_until(lambda: len(first_attempts(database)) == len(expected) + 1, 60, "all are tried")
    found = {webhook: outcome for webhook, (_, outcome) in first_attempts(database).items()}
    assert {name: found[each] for each, (name, _) in expected.items()} == dict(expected.values())
    assert found[fine.id] == "204"
    check_what_follows(database, expected)
    lost = EVENTS - len(set(good.ids()))
    say(
        row(
            f"{len(expected)} bad receivers beside a good one, {store_of(database)}",
            EVENTS,
            lost,
            len(good.ids()) - EVENTS,
            arrived,
        )
    )


def first_attempts(database: Database) -> dict[object, tuple[Delivery, str]]:
    """For each webhook its first delivery that was tried, and what came of that."""
    deliveries, attempts = state_of(database)
    by_id = {delivery.id: delivery for delivery in deliveries}
    found: dict[object, tuple[Delivery, str]] = {}
    for attempt in attempts:
        delivery = by_id[attempt.delivery_id]
        said = str(attempt.status) if attempt.status else (attempt.error or "").partition(":")[0]
        found.setdefault(delivery.webhook_id, (delivery, said))
    return found


def check_what_follows(database: Database, expected: dict[object, tuple[str, str]]) -> None:
    """2xx is done, 410 ends it, Retry-After is kept to, everything else waits for its turn."""
    with database.read() as session:
        for webhook_id, (delivery, said) in first_attempts(database).items():
            webhook = session.get_one(Webhook, webhook_id)
            state = delivery.state
            if said.startswith("2"):
                assert state is DeliveryState.DELIVERED
            elif said == "410":
                assert (state, webhook.enabled) == (DeliveryState.FAILED, False)
            else:
                assert (state, webhook.enabled) == (DeliveryState.PENDING, True), said
                assert delivery.next_attempt_at is not None
                wait = delivery.next_attempt_at - delivery.created_at
                is_told = expected[webhook_id][0].startswith("answers")
                assert (wait > timedelta(seconds=RETRY_AFTER - 60)) == is_told, (said, wait)
