from collections.abc import Iterator
from threading import Event, get_ident

import pytest

from service.seed.ahead import ahead


def test_next_item_is_made_while_one_is_used() -> None:
    is_made, makers = Event(), set[int]()

    def items() -> Iterator[str]:
        makers.add(get_ident())
        yield "one"
        is_made.set()
        yield "two"

    coming = ahead(items())
    assert next(coming) == "one"
    assert is_made.wait(10)
    assert [*coming] == ["two"]
    assert get_ident() not in makers


def test_what_fails_ahead_fails_here() -> None:
    def items() -> Iterator[str]:
        yield "one"
        raise LookupError

    coming = ahead(items())
    assert next(coming) == "one"
    with pytest.raises(LookupError):
        next(coming)
