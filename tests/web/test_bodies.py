from collections.abc import Callable
from typing import Any

import marshmallow as ma
import pytest

from service.web.bodies import Sent
from service.web.schemas import ReportIn, Target, TextPositionSelector, TextQuoteSelector
from tests.web.test_public import BAD_FIELDS, body

RIGHT = [
    {},
    {"suggestion": "", "email": "", "seconds": 2, "altcha": "YQ=="},
    {"email": "reader@mail.example", "category": None},
    {"target": {"revision": "12ab", "lang": None, "selector": None}},
]
QUOTE = {"type": "TextQuoteSelector", "exact": "wrold"}
POSITION = {"type": "TextPositionSelector", "start": 6, "end": 11}
PARTS = [
    (TextQuoteSelector, QUOTE),
    (TextQuoteSelector, {**QUOTE, "exact": "", "prefix": "a\x00b", "surplus": 1}),
    (TextPositionSelector, POSITION),
    (TextPositionSelector, {**POSITION, "end": 2}),
    (TextPositionSelector, {**POSITION, "start": "x", "end": 2}),
    (Target, {"source": "javascript:1", "canonical": "x" * 3000, "selector": [QUOTE, QUOTE]}),
    (Target, []),
    (ReportIn, {**body(), "email": "x" * 255, "surplus": None}),
]
CASES = [
    *((ReportIn, body(**changes)) for changes in RIGHT),
    *((ReportIn, body(**changes)) for changes, _ in BAD_FIELDS),
    *PARTS,
]


def outcome(load: Callable[..., Any], *given: Any, **options: Any) -> Any:
    try:
        return load(*given, **options)
    except ma.ValidationError as error:
        return error.messages


@pytest.mark.parametrize("unknown", [ma.RAISE, ma.EXCLUDE])
@pytest.mark.parametrize(("kind", "sent"), CASES)
def test_body_is_taken_and_refused_as_marshmallow_does_it(
    kind: type[Sent], sent: Any, unknown: str
) -> None:
    taken = outcome(kind().load, sent, unknown=unknown)
    assert taken == outcome(ma.Schema.load, kind(), sent, unknown=unknown)


def test_what_is_right_is_not_read_twice() -> None:
    read: list[Any] = []

    class Number(Sent):
        number = ma.fields.Integer(validate=read.append)

    assert Number().load({"number": 5}) == {"number": 5}
    assert read == [5]
