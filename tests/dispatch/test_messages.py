import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook as Verifier

from service.dispatch import messages
from service.dispatch.messages import BODY_BYTES, Content, Message
from service.models import Webhook

AT = datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=UTC)


def event(**data: Any) -> Message:
    return Message(UUID(int=7), "correction.created", AT, data)


def test_body_is_the_event_as_json() -> None:
    assert messages.body(event(id="a", words="“ї”")) == (
        '{"type":"correction.created","timestamp":"2026-03-01T12:00:00.005Z",'
        '"data":{"id":"a","words":"“ї”"}}'.encode()
    )


@pytest.mark.parametrize(("reports", "suggestions"), [(10, 3), (10, 2000), (0, 2000), (1, 0)])
def test_body_is_never_over_20_kilobytes(reports: int, suggestions: int) -> None:
    full = event(
        reports=[{"comment": "ї" * 2000, "place": place} for place in range(reports)],
        suggestions=[{"text": f"{place} ї", "count": 1} for place in range(suggestions)],
        report_count=reports,
    )
    made = messages.body(full)
    data = json.loads(made)["data"]
    assert len(made) <= BODY_BYTES
    assert made == messages.body(full)
    assert data["report_count"] == reports
    assert data["reports"] == full.data["reports"][: len(data["reports"])]
    assert data["suggestions"] == full.data["suggestions"][: len(data["suggestions"])]
    assert ("shortened" in data) == (
        data["reports"] != full.data["reports"] or len(data["suggestions"]) < suggestions
    )
    # Nothing is left out that would have had room.
    assert reports < 10 or suggestions > 3 or len(made) > BODY_BYTES - 5000


def test_secrets_are_long_and_differ() -> None:
    made = {messages.new_secret() for _ in range(10)}
    assert len(made) == 10
    now = datetime.now(UTC)
    for secret in made:
        webhook = Webhook(secret=secret, headers={})
        headers = messages.headers(Content(str(UUID(int=7)), '{"a":1}'), webhook, at=now)
        assert Verifier(secret).verify(b'{"a":1}', headers) == {"a": 1}
