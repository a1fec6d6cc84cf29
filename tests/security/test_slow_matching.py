"""Texts made to be slow: time grows with the length, not with its square."""

import time
from collections.abc import Callable

import pytest

from service import addresses
from service.text import Selector, article_text, normalise, same_passage, word_diff
from tests.security.tally import Tally

ROW = "slow matching"

SMALL, FACTOR = 20_000, 8
# Sixty-four would be the square of it; the rest is room for a busy machine.
BOUND = 24

MAKERS: dict[str, Callable[[int], str]] = {
    "one letter": lambda n: "a" * n,
    "spaces": lambda n: " " * n,
    "words": lambda n: "ab " * (n // 3),
    "nearly the same": lambda n: ("a" * 99 + "b") * (n // 100),
    "combining marks": lambda n: "a" + "\u0301\u0316" * (n // 2),
    "line ends": lambda n: "\r\n" * (n // 2),
    "invisible": lambda n: "\u200b" * n,
    "expanding": lambda n: "\ufdfa" * (n // 18),
    "quotes": lambda n: "«»" * (n // 2),
    "surrogate pairs": lambda n: "\U0001d11e" * n,
}
HTML: dict[str, Callable[[int], str]] = {
    "open tags": lambda n: "<b>" * (n // 3),
    "attributes": lambda n: "<p " + "a=b " * (n // 4) + ">",
    "comments": lambda n: "<!--" * (n // 4),
    "entities": lambda n: "&amp;" * (n // 5),
    "misnested": lambda n: "<b><i></b></i>" * (n // 14),
    "lists of styles": lambda n: '<p style="' + "a:b;" * (n // 4) + '">x',
    "paragraphs": lambda n: "<p>x</p>" * (n // 8),
    "angle brackets": lambda n: "<" * n,
}


def seconds(work: Callable[[], object]) -> float:
    """The best of three, by the processor's time."""
    best = float("inf")
    for _ in range(3):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return max(best, 0.0005)


def check(
    tally: Tally, name: str, make: Callable[[int], str], work: Callable[[str], object]
) -> None:
    small, large = make(SMALL), make(SMALL * FACTOR)
    ratio = seconds(lambda: work(large)) / seconds(lambda: work(small))
    tally.add((name, round(ratio, 1)), held=ratio < BOUND)


@pytest.mark.parametrize("name", MAKERS)
def test_text_is_compared_in_linear_time(name: str, tally: Tally) -> None:
    make = MAKERS[name]
    check(tally, f"normalise {name}", make, normalise)
    check(
        tally,
        f"same_passage {name}",
        make,
        lambda text: same_passage(Selector(text, text, text), Selector(text + "a", text, text)),
    )
    check(
        tally,
        f"address {name}",
        make,
        lambda text: addresses.is_safe(f"https://news.example/{text}"),
    )


@pytest.mark.parametrize("name", HTML)
def test_html_is_read_in_linear_time(name: str, tally: Tally) -> None:
    check(tally, name, HTML[name], article_text)


@pytest.mark.parametrize("name", MAKERS)
def test_diff_of_the_longest_texts_that_are_let_in_ends(name: str, tally: Tally) -> None:
    """Its time may grow with the square, so its texts are capped: 500 against 1,000 code points."""
    before, after = MAKERS[name](500)[:500], MAKERS[name](1200)[:1000]
    tally.add(name, held=seconds(lambda: word_diff(before, after)) < 0.5)
    tally.add(f"{name} reversed", held=seconds(lambda: word_diff(before + "x", "y" + after)) < 0.5)


def test_longest_host_in_many_letters_is_refused_at_once(tally: Tally) -> None:
    host = "".join(map(chr, range(0x4E00, 0x4E00 + addresses.URL_LIMIT - 8)))

    def refuse() -> None:
        with pytest.raises(addresses.BadAddress):
            addresses.in_ascii(host)

    tally.add("a host", held=seconds(refuse) < 0.05)
