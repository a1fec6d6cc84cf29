"""The demo as a newcomer starts it, and a browser to meet it with."""

from collections.abc import Iterator

import pytest

from tests.browser.engines import Chromium, EngineMissing
from tests.conftest import missing
from tests.demo import Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo"), REPORT_LIMITS="100000/minute") as started:
        yield started


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    try:
        browser = Chromium()
    except EngineMissing as reason:
        missing(str(reason))
        raise
    yield browser
    browser.close()
