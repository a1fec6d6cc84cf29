from collections.abc import Callable
from typing import Any

import pytest

from service.support.campaigns import Draft


def text(title: str = "Keep us independent", **changed: Any) -> dict[str, Any]:
    """What an ask says in one language."""
    way = {"label": "Become a patron", "url": "https://news.example/patrons"}
    return {
        "title": title,
        "text": "Readers pay for this newsroom.",
        "ways": [way],
        "amounts": [],
        "image_alt": "",
        **changed,
    }


def variant(key: str = "a", weight: int = 1, **texts: Any) -> dict[str, Any]:
    return {"key": key, "weight": weight, "texts": texts or {"en": text()}}


def asking(**changed: Any) -> Draft:
    """A campaign that is as it should be, but for what is changed."""
    return Draft(**{"name": "Autumn", "variants": [variant()], **changed})


@pytest.fixture
def draft() -> Callable[..., Draft]:
    return asking
