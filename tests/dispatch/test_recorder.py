"""Results that are written down in batches."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy.exc import DataError

from service.dispatch.claim import Task
from service.dispatch.client import Answer, SendFailed
from service.dispatch.recorder import Recorder
from service.dispatch.results import Result


def result(number: int) -> Result:
    task = cast("Task", SimpleNamespace(delivery_ids=(number,)))
    return Result(task, datetime.now(UTC), 0.1, {}, Answer(200, str(number), None))


def test_what_no_database_takes_keeps_nothing_else_from_being_written() -> None:
    written: dict[Any, str] = {}

    def write(results: Sequence[Result]) -> None:
        bodies = [each.outcome.body for each in results if isinstance(each.outcome, Answer)]
        if "2" in bodies or any(
            key in {(3,)} for key in [each.task.delivery_ids for each in results]
        ):
            raise DataError("INSERT", None, ValueError("NUL"))
        for each in results:
            is_answer = isinstance(each.outcome, Answer)
            written[each.task.delivery_ids] = "answer" if is_answer else str(each.outcome)

    recorder = Recorder(write)
    for number in range(5):
        recorder.add(result(number))
    recorder.close()
    failed = str(SendFailed("internal", "what came of it could not be written down"))
    assert written == {(0,): "answer", (1,): "answer", (2,): failed, (4,): "answer"}
