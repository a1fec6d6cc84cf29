"""`/metrics` for Prometheus: requests of this process, and what the database says of all."""

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.dispatch import measures
from service.errors import NotFound
from service.web import current

blueprint = Blueprint("metrics", __name__)

_own = CollectorRegistry()
_answers = Counter(
    "corrigenda_answers", "Answers by route and status.", ["route", "status"], registry=_own
)
_seconds = Histogram(
    "corrigenda_answer_seconds",
    "How long answers took, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_own,
)

MEANINGS = {
    "events_waiting": "Events that the worker has not handed out yet.",
    "deliveries_pending": "Deliveries that wait for their turn or their next try.",
    "deliveries_failed": "Deliveries that were given up.",
    "oldest_due_seconds": "How long the delivery that is due the longest has been so.",
    "webhooks_failing": "Webhooks whose last delivery failed.",
    "webhooks_disabled": "Webhooks that are switched off.",
    "attempts_last_hour": "Tries of deliveries in the last hour.",
    "failures_last_hour": "Tries in the last hour that did not arrive.",
}


def count(route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    answers, took = _of(route, status)
    answers.inc()
    took.observe(seconds)


@cache
def _of(route: str, status: int) -> tuple[Counter, Histogram]:
    return _answers.labels(route, status), _seconds.labels(route)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Metrics as Prometheus's text; 404 to whoever comes from outside or through a proxy."""
    if not _is_from_inside():
        raise NotFound
    registry = CollectorRegistry()
    registry.register(Standing())
    requests = _own
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        requests = CollectorRegistry()
        # prometheus-client has no types for this class.
        MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
    text = generate_latest(requests) + generate_latest(registry)
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_from_inside() -> bool:
    """Whether it came straight from a private address: every proxy adds a forwarded header."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_private
    except ValueError:
        return False


class Standing(Collector):
    """What the database says at this moment: the same whichever process is asked."""

    def collect(self) -> Iterator[Metric]:
        """A gauge for each measure of the outbox."""
        with current.database().read() as session:
            found = measures.measure(session, now=current.now())
        for name, value in asdict(found).items():
            yield GaugeMetricFamily(f"corrigenda_{name}", MEANINGS[name], value)
