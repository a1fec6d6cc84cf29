"""What leaves waits ten minutes after a decision: an undo until then has nothing to call back."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.models import Editor, Event
from service.record import publications
from service.settings import Settings
from tests.record.test_answers import Newsroom, newsroom
from tests.web.test_pages import send, sign_in
from tests.web.test_publish_form import listed, publish

__all__ = ["newsroom"]


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    sign_in(client, editor)
    return client


def decide_and_publish(desk: FlaskClient, correction_id: UUID) -> None:
    """Mark it as fixed in the queue, and put it on the record from its page."""
    moved = send(desk, "/review/moves", act="fixed", ids=str(correction_id))
    assert moved.status_code == 303
    assert publish(desk, f"/review/{correction_id}", thanks="R.").status_code == 303


def left(desk: FlaskClient, newsroom: Newsroom) -> dict[str, Any]:
    """What readers and the public have heard by now, after a turn of the worker."""
    with newsroom.database.write() as session:
        publications.announce(session, now=newsroom.clock())
        told = select(Event.type).where(Event.type == "correction.published")
        events = list(session.scalars(told))
    return {
        "mail": [message["To"] for message in newsroom.work()],
        "record": [entry["says"] for entry in listed(desk)],
        "feed": [entry["id"] for entry in desk.get("/record/the-daily.json").json["items"]],
        "events": events,
    }


NOTHING: dict[str, Any] = {"mail": [], "record": [], "feed": [], "events": []}


def test_undo_within_ten_minutes_calls_nothing_back(
    desk: FlaskClient, newsroom: Newsroom, settings: Settings
) -> None:
    assert settings.hold_seconds == 600
    correction_id = newsroom.correction(newsroom.agreed())
    decide_and_publish(desk, correction_id)
    newsroom.clock.advance(seconds=599)
    assert left(desk, newsroom) == NOTHING
    assert send(desk, "/review/moves", act="undo", ids=str(correction_id)).status_code == 303
    newsroom.clock.advance(hours=2)
    assert left(desk, newsroom) == NOTHING
    decide_and_publish(desk, correction_id)
    newsroom.clock.advance(seconds=599)
    assert left(desk, newsroom) == NOTHING
    newsroom.clock.advance(seconds=1)
    found = left(desk, newsroom)
    assert len(found.pop("feed")) == 1
    assert found == {
        "mail": ["reader@example.org"],
        "record": ["world"],
        "events": ["correction.published"],
    }
