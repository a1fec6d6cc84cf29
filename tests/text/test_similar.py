import pytest

from service.text import Selector
from service.text.similar import most_similar

TEXT = "Its chair said that the libary would stay open until the end of the year, as it does now."
SELECTOR = Selector("libary", "Its chair said that the ", " would stay open until the end ", 24, 30)


@pytest.mark.parametrize(
    ("text", "became"),
    [
        (TEXT, "libary"),
        (TEXT.replace("libary", "museum"), "museum"),
        (TEXT.replace("the libary", "the old town's library"), "library"),
        (TEXT.replace("libary ", ""), ""),
    ],
)
def test_most_similar(text: str, became: str) -> None:
    span = most_similar(SELECTOR, ("libary", "library"), text)
    assert span is not None
    assert text[span[0] : span[1]].endswith(became)


@pytest.mark.parametrize(
    "text",
    ["", "libary", "Nobody said that anything would stay open.", "a" * 5000, "Its chair " * 500],
)
def test_nothing_is_similar(text: str) -> None:
    assert most_similar(SELECTOR, ("libary", "library"), text) is None


def test_the_nearer_of_two_alike_is_taken() -> None:
    edited = TEXT.replace("said", "says").replace("end", "very end")
    text = f"{edited}\n\n{'Something else. ' * 40}\n\n{edited.replace('year', 'month')}"
    second = text.rindex("libary")
    near_second = Selector("libary", SELECTOR.prefix, SELECTOR.suffix, second + 3, second + 9)
    assert most_similar(SELECTOR, ("libary",), text) == (
        text.index("libary"),
        text.index("libary") + 6,
    )
    assert most_similar(near_second, ("libary",), text) == (second, second + 6)
