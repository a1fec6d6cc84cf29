"""Reports that different readers would send of one error, and of different ones."""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from bench.anchoring import selector_of
from service.text import Selector, narrowed, same_passage
from service.text.words import words

CONTEXT = 64
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n\n")
OTHER_QUOTES = str.maketrans("“”‘’\"'«»", "\"\"''“’“”")


class Sent(NamedTuple):
    """One reader's report: what was selected, and what it should say."""

    selector: Selector
    suggestion: str


def selecting(text: str, start: int, end: int) -> Selector:
    prefix, suffix = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    return Selector(text[start:end], prefix, suffix, start, end)


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    low, high = 0, len(text)
    for mark in SENTENCE_END.finditer(text):
        if mark.end() <= start:
            low = mark.end()
        elif mark.start() >= end:
            high = mark.start()
            break
    return low, high


def widened(text: str, start: int, end: int, low: int, high: int, to_words: int) -> tuple[int, int]:
    """The span with so many words more on either side, inside of its sentence."""
    before, after = words(text[low:start]), words(text[end:high])
    count = 2 * to_words
    return (
        start - sum(map(len, before[len(before) - min(count, len(before)) :])),
        end + sum(map(len, after[:count])),
    )


def of_one_error(text: str, start: int, exact: str, suggestion: str) -> list[Sent]:
    """What readers of one text send who all mean this error."""
    end = start + len(exact)
    tight = narrowed(Selector(exact, start=start), suggestion)
    first, last = tight.start or start, (tight.start or start) + len(tight.exact)
    change = suggestion[first - start : len(suggestion) - (end - last)]
    low, high = sentence_around(text, start, end)
    near = widened(text, start, end, low, high, 1)
    sents = [
        Sent(selecting(text, a, b), text[a:first] + change + text[last:b])
        for a, b in ((start, end), near, (low, high))
    ]
    if tight.exact.strip():
        sents.append(Sent(selecting(text, first, last), change))
        sents.append(Sent(selecting(text, start, end), text[start:first] + "?" + text[last:end]))
    shouted = selecting(text.translate(OTHER_QUOTES), start, end)
    if len(exact.upper()) == len(exact):
        sents.append(Sent(Selector(exact.upper(), *_around(shouted)), suggestion))
    return sents


def _around(selector: Selector) -> tuple[str, str, int | None, int | None]:
    return selector.prefix, selector.suffix, selector.start, selector.end


def of_another_error(text: str, start: int, end: int) -> list[Sent]:
    """Reports of a word of the same sentence that has nothing to do with the span."""
    low, high = sentence_around(text, start, end)
    at, found = low, None
    for word in words(text[low:high]):
        is_apart = at + len(word) + 1 < start or at > end + 1
        if is_apart and word.isalpha() and (found is None or len(word) > found[1] - found[0]):
            found = at, at + len(word)
        at += len(word)
    if found is None:
        return []
    a, b = found
    wrong = text[a:b][::-1] + "x"
    return [
        Sent(selecting(text, a, b), wrong),
        Sent(selecting(text, low, high), text[low:a] + wrong + text[b:high]),
    ]


def same_pairs(corpus: list[dict[str, Any]]) -> Iterator[tuple[Sent, Sent, bool]]:
    for case in corpus:
        sents = of_one_error(case["before_text"], case["start"], case["exact"], case["suggestion"])
        yield from ((*pair, True) for pair in combinations(sents, 2))
        if case["earlier_text"]:
            # The same error, reported on an older revision of the article.
            earlier = Selector(
                case["exact"], case["earlier_prefix"], case["earlier_suffix"], case["earlier_start"]
            )
            yield (
                Sent(earlier, case["suggestion"]),
                Sent(selector_of(case), case["suggestion"]),
                False,
            )


def different_pairs(corpus: list[dict[str, Any]]) -> Iterator[tuple[Sent, Sent, bool]]:
    articles: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in corpus:
        articles[case["repo"], case["path"]].append(case)
        text, start, exact = case["before_text"], case["start"], case["exact"]
        others = of_another_error(text, start, start + len(exact))
        for sent in of_one_error(text, start, exact, case["suggestion"]):
            yield from ((sent, other, True) for other in others)
    for cases in articles.values():
        for one, other in combinations(cases, 2):
            yield (
                Sent(selector_of(one), one["suggestion"]),
                Sent(selector_of(other), other["suggestion"]),
                one["before_text"] == other["before_text"],
            )


def are_joined(one: Sent, other: Sent, same_text: bool) -> bool:
    return same_passage(
        one.selector, other.selector, one.suggestion, other.suggestion, same_text=same_text
    )
