"""Requests that wait for answers from elsewhere."""

from contextlib import ExitStack

import pytest
from flask import Flask

from service.errors import Unavailable
from service.web import outward


def test_few_wait_for_others_at_once(app: Flask) -> None:
    with app.app_context():
        with ExitStack() as stack:
            for _ in range(outward.MOST):
                stack.enter_context(outward.carriers())
            with pytest.raises(Unavailable) as refused, outward.carriers():
                pass
            assert refused.value.retry_after
        with outward.carriers():
            pass
