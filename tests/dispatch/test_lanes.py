"""How tasks wait for their endpoint."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event

import pytest

from service.db import new_id
from service.dispatch.claim import Task
from service.dispatch.client import Answer, SendFailed
from service.dispatch.lanes import START, Lanes
from service.dispatch.results import Result
from service.dispatch.to_people import LetterParcel
from tests.servers import wait_until

BACKLOG = 100


class Endpoint:
    """Answers when it is let to; asks for a rest of a second."""

    def __init__(self) -> None:
        self.let = Event()
        self.ended: list[Result] = []

    def send(self, task: Task) -> Result:
        self.let.wait(10)
        return Result(task, datetime.now(UTC), 0.01, {}, Answer(503, "", "1"))

    def end(self, result: Result, _is_low: bool) -> None:
        self.ended.append(result)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def lanes(endpoint: Endpoint) -> Iterator[Lanes]:
    made = Lanes(endpoint.send, endpoint.end)
    yield made
    endpoint.let.set()
    made.close()


def tasks(count: int) -> list[Task]:
    nothing = SendFailed("internal", "nothing to send")
    lane_id = new_id()
    return [Task((new_id(),), lane_id, LetterParcel(new_id(), nothing)) for _ in range(count)]


def test_take_back_what_waits_when_a_rest_is_over(lanes: Lanes, endpoint: Endpoint) -> None:
    given = tasks(BACKLOG)
    lane_id = given[0].lane_id
    assert lanes.room(lane_id) == START
    lanes.add(lane_id, given)
    assert lanes.take_back({}) == []
    endpoint.let.set()
    wait_until(lambda: len(endpoint.ended) == START, 10, "what was under way")
    time.sleep(1.1)
    assert lanes.take_back({}) == given[START:]
    assert lanes.room(lane_id) >= START
