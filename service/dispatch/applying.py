"""The apply endpoint: a correction is handed to a content system, which answers at once."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from service.db import new_id
from service.dispatch import results
from service.dispatch.claim import Task
from service.dispatch.client import DEADLINE_SECONDS, Answer
from service.dispatch.messages import Content, Message
from service.dispatch.parcels import Carriers
from service.dispatch.results import Result
from service.dispatch.to_webhooks import WebhookParcel
from service.errors import Disabled, StillBeingWritten
from service.models import Article, Attempt, Correction, Delivery, DeliveryState, Event, Webhook

APPLY = "correction.apply"
"""The type that is asked of one endpoint; no pattern of events names it."""

DETAIL_LIMIT = 500

ANSWER_WITHIN = timedelta(seconds=DEADLINE_SECONDS + 3)
"""Sent, answered and written down, or whoever did it has ended: it may be handed over again."""


class Verdict(StrEnum):
    """What a content system says of a correction that it was handed."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Reply:
    """A verdict and the content system's words; without a verdict, why there is none."""

    verdict: Verdict | None
    detail: str = ""

    @property
    def is_applied(self) -> bool:
        """Whether the article has the wording now."""
        return self.verdict in {Verdict.APPLIED, Verdict.ALREADY_APPLIED}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the last hand-over of a correction stands."""

    delivery_id: UUID
    seconds_left: int
    """How long an answer may still come at most; 0 where it is not under way."""
    is_lost: bool
    """It was begun, and what came of it was never written down."""

    @property
    def is_under_way(self) -> bool:
        """Whether an answer is waited for."""
        return self.seconds_left > 0


def endpoint(session: Session, site_id: UUID) -> Webhook | None:
    """Where the site's corrections are applied; None where nowhere, or where it is disabled."""
    enabled = session.scalars(
        select(Webhook).where(Webhook.site_id == site_id, Webhook.enabled).order_by(Webhook.id)
    )
    return next((webhook for webhook in enabled if is_for_applying(webhook)), None)


def is_for_applying(webhook: Webhook) -> bool:
    """Whether a webhook is an apply endpoint."""
    return webhook.events == [APPLY]


def begin(session: Session, correction: Correction, now: datetime) -> Task:
    """Write down that a correction with a final wording is handed over, before it is.

    What was handed over without an answer is so again under the same id, as long as its content
    is the same. The caller holds a lock on the correction. Raises Disabled, StillBeingWritten.
    """
    webhook = endpoint(session, correction.site_id)
    if webhook is None:
        raise Disabled("This site has no address where corrections are applied.")
    content = _content(correction, session.get_one(Article, correction.article_id))
    last = _last(session, correction.id)
    if last and _seconds_left(last[0], now):
        raise StillBeingWritten(
            "This correction is being handed over at this moment.",
            retry_after=_seconds_left(last[0], now),
        )
    if last and _is_same(last, webhook, content):
        delivery, event = last
    else:
        event = _event(correction, webhook, content, now)
        # Until the opposite is known: no worker sends it, and nothing waits for it.
        delivery = Delivery(
            event_id=event.id,
            lane_id=webhook.id,
            webhook_id=webhook.id,
            subject_id=correction.id,
            state=DeliveryState.FAILED,
            attempt_count=0,
            created_at=now,
        )
        session.add(event)
        session.flush()
        session.add(delivery)
    delivery.leased_until, delivery.finished_at = now + ANSWER_WITHIN, now
    session.flush()
    message = Message(event.id, event.type, event.created_at, event.data)
    return Task((delivery.id,), webhook.id, WebhookParcel(webhook, Content.of(message)))


def send(task: Task, carriers: Carriers) -> Result:
    """Hand it over and wait for the answer; not for use in a transaction."""
    began, started_at = time.perf_counter(), datetime.now(UTC)
    request, outcome = task.parcel.send(carriers, started_at)
    return Result(task, started_at, time.perf_counter() - began, request, outcome)


def record(session: Session, result: Result, reply: Reply, now: datetime) -> None:
    """Write down what came of a hand-over, unless its webhook was deleted meanwhile."""
    [delivery_id] = result.task.delivery_ids
    is_there = session.scalar(
        update(Delivery)
        .where(Delivery.id == delivery_id)
        .values(
            state=DeliveryState.DELIVERED if reply.verdict else DeliveryState.FAILED,
            attempt_count=Delivery.attempt_count + 1,
            leased_until=None,
            finished_at=now,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    if is_there:
        session.execute(insert(Attempt), [results.attempt(delivery_id, result)])


def reply_of(result: Result) -> Reply:
    """What a content system answered: 2xx with `{"result": …, "detail": …}`, else no verdict."""
    outcome = result.outcome
    if not isinstance(outcome, Answer):
        return Reply(None, str(outcome))
    if not outcome.is_success:
        return Reply(None, f"it answered {outcome.status}")
    try:
        said = json.loads(outcome.body)
        return Reply(Verdict(said["result"]), _words(said.get("detail")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Reply(None, f"it answered {outcome.status} without one of the four results")


def standing(session: Session, correction_id: UUID, now: datetime) -> Standing | None:
    """How the last hand-over of a correction stands; None where there was none."""
    last = _last(session, correction_id)
    if last is None:
        return None
    delivery, _ = last
    seconds = _seconds_left(delivery, now)
    return Standing(delivery.id, seconds, delivery.leased_until is not None and not seconds)


def _content(correction: Correction, article: Article) -> dict[str, Any]:
    return {
        "id": str(correction.id),
        "article": {"url": article.url, "title": article.title, "lang": article.lang},
        "exact": correction.exact,
        "prefix": correction.prefix,
        "suffix": correction.suffix,
        "wording": correction.wording,
    }


def _event(
    correction: Correction, webhook: Webhook, content: Mapping[str, Any], now: datetime
) -> Event:
    return Event(
        id=new_id(),
        site_id=correction.site_id,
        type=APPLY,
        subject_id=correction.id,
        webhook_id=webhook.id,
        data=dict(content),
        created_at=now,
        fanned_out_at=now,
    )


def _last(session: Session, correction_id: UUID) -> tuple[Delivery, Event] | None:
    found = session.execute(
        select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(
            Event.subject_id == correction_id, Event.webhook_id.is_not(None), Event.type == APPLY
        )
        .order_by(Event.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def _seconds_left(delivery: Delivery, now: datetime) -> int:
    until = delivery.leased_until or now
    return max(0, ceil((until - now).total_seconds()))


def _is_same(last: tuple[Delivery, Event], webhook: Webhook, content: Mapping[str, Any]) -> bool:
    delivery, event = last
    is_unanswered = delivery.state is DeliveryState.FAILED
    return is_unanswered and event.webhook_id == webhook.id and event.data == content


def _words(detail: object) -> str:
    """The content system's words, as much as the desk shows of them."""
    if not isinstance(detail, str):
        return ""
    # JSON can say halves of surrogate pairs, and NUL; no database holds them.
    storable = detail.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return " ".join(storable.split())[:DETAIL_LIMIT]
