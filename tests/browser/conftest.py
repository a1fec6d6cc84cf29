"""The demo as a newcomer starts it, and browsers to meet it with."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.browser.engines import Engine, EngineMissing, opened
from tests.conftest import missing
from tests.demo import Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo"), REPORT_LIMITS="100000/minute") as started:
        yield started


@pytest.fixture
def chromium() -> Iterator[Callable[..., Any]]:
    """Opens a Chromium with a profile of its own at every call: one for each person."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> Engine:
            try:
                return stack.enter_context(opened("chromium", **options))
            except EngineMissing as reason:
                missing(str(reason))
                raise

        yield open_one
