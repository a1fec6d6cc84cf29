"""The demo as a newcomer starts it."""

from collections.abc import Iterator

import pytest

from tests.demo import Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo"), REPORT_LIMITS="100000/minute") as started:
        yield started
