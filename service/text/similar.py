"""Where a text is most like a passage and its context, when neither is there verbatim."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Indel, Opcode

from service.text.evidence import ENOUGH, PARAGRAPH, SURE, Laid, sureness, weight
from service.text.passages import Selector

# A piece that is found this often is no clue.
_MANY = 40
_SEEDS_PER_SIDE = 3
_PLACES = 8
_SLACK = 24

# A common run that says less than this is chance.
SOLID = 4


class _Fit(NamedTuple):
    score: float
    start: int
    end: int


def most_similar(selector: Selector, wordings: Sequence[str], text: str) -> tuple[int, int] | None:
    """The place that is most like the passage in its context, if it is like it enough."""
    best: _Fit | None = None
    for place in _places(selector, wordings, text):
        for words in wordings:
            fit = _fit(selector, words, text, place, at_least=best.score if best else ENOUGH)
            best = fit or best
        if best is not None and best.score >= SURE:
            break
    return None if best is None else (best.start, best.end)


def _places(selector: Selector, wordings: Sequence[str], text: str) -> list[int]:
    """Where the quote may begin, by verbatim pieces of it and its context; the likeliest first."""
    votes: dict[int, float] = {}
    for seed, offset in _seeds(selector, wordings):
        found = _occurrences(text, seed)
        for at in found:
            votes[at - offset] = votes.get(at - offset, 0) + 1 / len(found)
    # Places near each other are one, where most pieces say it is.
    near = max(_SLACK, len(selector.exact))
    groups: list[list[int]] = []
    for place in sorted(votes):
        if groups and place - groups[-1][-1] <= near:
            groups[-1].append(place)
        else:
            groups.append([place])
    groups.sort(key=lambda group: -sum(votes[place] for place in group))
    return [max(group, key=lambda place: votes[place]) for group in groups[:_PLACES]]


def _seeds(selector: Selector, wordings: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Pieces of the passage and where they lie, from the quote's beginning."""
    for piece, offset in _pieces(selector.prefix[::-1]):
        yield piece[::-1], -offset - len(piece)
    for piece, offset in _pieces(selector.suffix):
        yield piece, offset + len(selector.exact)
    for words in wordings:
        size = _seed_size(words)
        if len(words) >= size // 2:
            yield words[:size], 0
        if len(words) >= 2 * size:
            yield words[-size:], len(selector.exact) - size


def _pieces(context: str) -> Iterator[tuple[str, int]]:
    size = _seed_size(context)
    for start in range(0, min(_SEEDS_PER_SIDE * size, len(context) - size + 1), size):
        yield context[start : start + size], start


def _seed_size(text: str) -> int:
    return 10 if weight(text) < 2 * len(text) else 5


def _occurrences(text: str, seed: str) -> list[int]:
    found: list[int] = []
    at = text.find(seed)
    while at >= 0:
        found.append(at)
        if len(found) == _MANY:
            return []
        at = text.find(seed, at + 1)
    return found


def _fit(selector: Selector, words: str, text: str, place: int, *, at_least: float) -> _Fit | None:
    """Lay the passage over the text at a place: which span is its quote's, and how sure is that?"""
    prefix = selector.prefix.rpartition(PARAGRAPH)[2]
    suffix = selector.suffix.partition(PARAGRAPH)[0]
    needle = prefix + words + suffix
    low, high = _window(text, place, len(prefix), len(words), len(suffix))
    local = text[low:high]
    runs = [
        run
        for run in Indel.opcodes(needle, local)
        if run.tag == "equal"
        and (
            run.src_end - run.src_start >= SOLID
            or weight(needle[run.src_start : run.src_end]) >= SOLID
        )
    ]
    if not runs:
        return None
    start = low + _mapped(runs, len(prefix), is_end=False)
    end = low + _mapped(runs, len(prefix) + len(words), is_end=True)
    start, end = sorted((min(max(low, start), high), min(max(low, end), high)))
    laid = Laid(prefix, words, suffix, text, low, high, runs, start, end)
    score = sureness(selector, laid, at_least=at_least)
    return None if score is None else _Fit(score, start, end)


def _window(text: str, place: int, before: int, words: int, after: int) -> tuple[int, int]:
    """The part of a place's paragraph in which the passage could lie."""
    slack = _SLACK + words
    inside = min(max(place, 0), len(text))
    low = max(0, place - before - slack)
    high = max(inside, min(len(text), place + words + after + slack))
    edge = text.rfind(PARAGRAPH, low, inside)
    if edge >= 0:
        low = edge + len(PARAGRAPH)
    edge = text.find(PARAGRAPH, inside, high)
    return low, high if edge < 0 else edge


def _mapped(runs: Sequence[Opcode], position: int, *, is_end: bool) -> int:
    """Where a position of the passage lies in the text that its common runs were found in."""
    before = after = None
    for run in runs:
        if run.src_start + is_end <= position < run.src_end + is_end:
            return run.dest_start + position - run.src_start
        if run.src_end <= position:
            before = run
        elif after is None:
            after = run
    if before is None or after is None:
        # Outside of all runs: as far from the nearest as in the passage.
        if before is not None:
            return before.dest_end + position - before.src_end
        return after.dest_start - (after.src_start - position) if after is not None else 0
    share = (position - before.src_end) / max(1, after.src_start - before.src_end)
    return before.dest_end + round(share * (after.dest_start - before.dest_end))
