"""Articles with mistakes planted in them, and what a later revision does to each."""

import random
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from service import hashing
from service.seed.languages import LANGUAGES, SECTIONS, Language
from service.seed.values import id_at, instant

CONTEXT = 64
HOUR = 3600.0
DAY = 24 * HOUR
_MISTAKE = re.compile(r"\[([^|\]]*)\|([^|\]]*)\|([a-z]+)\]")
Anchor = tuple[str, int | None, int | None]
Quote = tuple[str | None, str, str, int | None, int | None]
"""Exact, prefix, suffix, start, end."""
Planted = tuple[list[str], str, tuple[int, int], Anchor]
"""A sentence in pieces, the article's text, where the words stand in it, and where later."""
_WEIGHTS = list(accumulate(language.weight for language in LANGUAGES))


@dataclass(frozen=True, slots=True)
class Place:
    """A planted mistake as readers see it, and where a later revision leaves it."""

    exact: str
    right: str
    category: str
    quote: Quote
    start: int
    end: int
    later: Anchor
    """Anchor state, start and end in the second revision; state `fixed` where it is corrected."""


@dataclass(slots=True)
class Story:
    """An article while readers still report on it."""

    id: str
    url: str
    title: str
    language: Language
    at: float
    revised_at: float | None
    before: list[Planted]
    after: list[Planted]
    texts: list[str]
    section: str
    taken: int = 0
    corrections: list[str] = field(default_factory=list)
    reports: list[float] = field(default_factory=list)

    def next_place(self, at: float) -> Place | None:
        """A mistake that nobody reported yet; None where there are no more."""
        places = self.after if self.revised_at is not None and at > self.revised_at else self.before
        while self.taken < len(places):
            place = _place(*places[self.taken])
            self.taken += 1
            if place.exact != place.right:
                return place
        return None

    def row(self) -> tuple[object, ...]:
        """The article's row but for its site."""
        return (self.id, self.url, self.title, self.language.tag, instant(self.at))

    def revisions(self, until: float) -> list[tuple[object, ...]]:
        """The rows of its revisions that were pushed by then."""
        times = [self.at, self.revised_at or self.at]
        return [
            (id_at(at, number), self.id, number, text, hashing.short(text), instant(at))
            for number, (text, at) in enumerate(zip(self.texts, times, strict=False), 1)
            if at <= until
        ]


def write(rng: random.Random, origin: str, number: str, at: float) -> Story:
    """Make up an article that was published at this instant."""
    language = rng.choices(LANGUAGES, cum_weights=_WEIGHTS)[0]
    section = SECTIONS[int(len(SECTIONS) * rng.random() ** 1.6)]
    pieces = [
        _split(sentence, 2 + int(58 * rng.random()))
        for _ in range(rng.randrange(1, 3))
        for sentence in rng.sample(language.sentences, len(language.sentences))
    ]
    first = _fates(pieces, is_later=False)
    text, spans = _assembled(pieces, first, language.space)
    has_revision, is_revised = rng.random() < 0.25, rng.random() < 0.4
    texts: list[str] = [text] if has_revision else []
    after: list[Planted] = []
    later: list[Anchor] = [("exact", *span) for span in spans]
    revised_at = None
    if has_revision and is_revised:
        revised_at = at + rng.uniform(2 * HOUR, 3 * DAY)
        lead = language.sentences[0].split("[")[0].strip() or language.titles[0]
        fates = _fates(pieces, is_later=True)
        second, moved = _assembled(pieces, fates, language.space, lead=f"{lead} …\n\n")
        later = [_later(fate, old, new) for fate, old, new in zip(fates, spans, moved, strict=True)]
        after = [
            (piece, second, span, ("exact", *span))
            for piece, span, fate in zip(pieces, moved, fates, strict=True)
            if fate == "kept"
        ]
        texts.append(second)
    before: list[Planted] = [
        (piece, text, span, anchor)
        for piece, span, anchor in zip(pieces, spans, later, strict=True)
    ]
    rng.shuffle(before)
    title = rng.choice(language.titles).replace("{n}", str(rng.randrange(2, 30)))
    return Story(
        id=id_at(at, rng.getrandbits(74)),
        url=f"{origin}/{section}/{language.slug}-{number}",
        title=title,
        language=language,
        at=at,
        revised_at=revised_at,
        before=before,
        after=after,
        texts=texts,
        section=section,
    )


@lru_cache(65_536)
def _split(sentence: str, number: int) -> list[str]:
    """What stands before the words in question, wrong and right ones, their category, the rest."""
    return _MISTAKE.split(sentence.replace("{n}", str(number)))


def _fates(pieces: list[list[str]], *, is_later: bool) -> list[str]:
    fates = ["kept"] * len(pieces)
    if is_later:
        fates[0], fates[1], fates[-1] = "fixed", "changed", "orphaned"
    return fates


def _assembled(
    pieces: list[list[str]], fates: list[str], space: str, lead: str = ""
) -> tuple[str, list[tuple[int, int]]]:
    """The text of sentences, three to a paragraph, and where the words in question stand."""
    parts, spans, length = [lead], [], len(lead)
    for number, (piece, fate) in enumerate(zip(pieces, fates, strict=True)):
        if fate == "orphaned":
            spans.append((length, length))
            continue
        head, wrong, right, _, tail = piece
        words = {"kept": wrong, "fixed": right, "changed": f"{right[:1]}…"}[fate]
        start = length + len(head)
        spans.append((start, start + len(words)))
        end = "\n\n" if number % 3 == 2 else space
        parts += [head, words, tail, end]
        length += len(head) + len(words) + len(tail) + len(end)
    return "".join(parts).rstrip(), spans


def _later(fate: str, old: tuple[int, int], new: tuple[int, int]) -> Anchor:
    if fate == "orphaned":
        return ("orphaned", None, None)
    return ("moved" if fate == "kept" and new != old else fate, *new)


def _place(piece: list[str], text: str, span: tuple[int, int], later: Anchor) -> Place:
    start, end = span
    exact = text[start:end]
    prefix, suffix = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    quote = (exact, prefix, suffix, start, end)
    return Place(exact, piece[2], piece[3], quote, start, end, later)
