"""Every test here names its row of the threat model and counts its payloads."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.security.tally import PROPERTY, Tally


@pytest.fixture
def tally(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[Tally]:
    """Counts payloads for the row that the module's ROW names."""
    made = Tally(request.module.ROW)
    yield made
    record_property(PROPERTY, json.dumps([made.row, made.tried, len(made.through)]))
    if made.through:
        pytest.fail(f"{len(made.through)} of {made.tried} got through:\n" + "\n".join(made.through))
