"""Which words a report is about: where they are now, and which correction is about the same."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import and_, bindparam, literal_column, or_, select

from service import hashing, proposals, text
from service.db import Asking, Prepared, at_most
from service.intake.reports import NewReport
from service.models import AnchorState, Correction, Report, Revision, State

OPEN = frozenset({State.NEW, State.ACCEPTED})

CANDIDATES = 200
"""So many corrections at most are compared with a new report, and as many that quote the same."""

_Which = Literal["all", "near", "quoting the same"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report's words are in the newest text that is known; None where they are not."""

    state: AnchorState
    start: int | None
    end: int | None
    has_text: bool = False
    """Whether a revision of the article is known at all."""
    is_fixed: bool = False
    """Whether the reader saw an older revision, and the newest one has the suggestion."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is to be known of a correction that a report joins or begins."""

    id: UUID
    state: State
    suspected: bool
    exact: str | None
    start: int | None
    """Where its words are now, else where the first reader saw them."""


def find(session: Asking, asked: Sequence[tuple[UUID, NewReport]]) -> list[Place]:
    """Find the words of each article's report in the article's newest revision."""
    newest = _NEWEST.one_for(session, [{"article": article_id} for article_id, _ in asked])
    return [
        _place(session, article_id, new, revision)
        for (article_id, new), revision in zip(asked, newest, strict=True)
    ]


def _place(session: Asking, article_id: UUID, new: NewReport, newest: Any) -> Place:
    if new.exact is None or newest is None:
        return Place(AnchorState.EXACT, new.start, new.end)
    suggestions = [] if new.suggestion is None else [new.suggestion]
    outcome, anchor = text.verdict(_selector(new, new.start), suggestions, newest.text)
    state = AnchorState(anchor.state)
    # On this reader's page they stand where they stand: nothing has moved since.
    state = AnchorState.EXACT if state is AnchorState.MOVED else state
    is_fixed = outcome == "applied" and _is_outdated(session, article_id, newest, new.revision)
    return Place(state, anchor.start, anchor.end, has_text=True, is_fixed=is_fixed)


def _is_outdated(session: Asking, article_id: UUID, newest: Any, seen: str | None) -> bool:
    if seen is None or seen == newest.mark:
        return False
    wanted = {"article": article_id, "mark": seen, "number": newest.number}
    return _OLDER.one(session, wanted) is not None


def hash_of(new: NewReport) -> str | None:
    """A fingerprint of the quoted words as they are compared."""
    return hashing.fingerprint(text.normalise(new.exact)) if new.exact else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A report of an article, and what is known of it so far."""

    article_id: UUID
    new: NewReport
    place: Place
    suspected: bool

    @property
    def start(self) -> int | None:
        """Where its words are, as far as it is known."""
        return start_of(self.new, self.place)


def same(session: Asking, asked: Sequence[Asked]) -> list[Known | None]:
    """For each the correction of the same error: an open one, or one fixed where it is fixed.

    Suspected reports are kept among themselves: none adds to what readers are believed to say.
    """
    found: list[Known | None] = [None] * len(asked)
    by_statement = defaultdict(list)
    for number, each in enumerate(asked):
        if each.new.exact is not None:
            which: _Which = "all" if each.start is None else "near"
            by_statement[_candidates(which, with_fixed=each.place.is_fixed)].append(number)
    for wanted, numbers in by_statement.items():
        rows = wanted.all_for(session, [_wanted(asked[number]) for number in numbers])
        for number, candidates in zip(numbers, rows, strict=True):
            found[number] = _first(asked[number], candidates)
            if found[number] is None and len(candidates) == CANDIDATES:
                found[number] = _first(asked[number], _quoting_the_same(session, asked[number]))
    return found


def _quoting_the_same(session: Asking, asked: Asked) -> Sequence[Any]:
    """Those of a long list that are the likeliest, asked for only where it is too long."""
    wanted = _candidates("quoting the same", with_fixed=asked.place.is_fixed)
    return wanted.all(session, _wanted(asked))


def _wanted(asked: Asked) -> dict[str, Any]:
    exact, start = asked.new.exact or "", asked.start
    found_by: dict[str, Any] = {
        "article": asked.article_id,
        "hash": hash_of(asked.new),
        "suspected": asked.suspected,
    }
    if start is not None:
        found_by |= {"before": start + len(exact) + 1, "after": start - 1}
    return found_by


def _first(asked: Asked, candidates: Sequence[Any]) -> Known | None:
    """The oldest of these that is about the same error."""
    for row in sorted(candidates, key=attrgetter("id.int")):
        known = Known(row.id, row.state, asked.suspected, row.exact, _start(row))
        if text.same_passage(
            _selector(row, known.start),
            _selector(asked.new, asked.start),
            row.suggestion,
            asked.new.suggestion,
            same_text=_is_same_text(row, asked.new, asked.place),
        ):
            return known
    return None


def start_of(new: NewReport, place: Place) -> int | None:
    """Where the report's words are, as far as it is known."""
    return new.start if place.start is None else place.start


_NEWEST = Prepared(
    select(Revision.text, Revision.mark, Revision.number)
    .where(Revision.article_id == bindparam("article"))
    .order_by(Revision.number.desc())
    .limit(at_most(1))
)


_OLDER = Prepared(
    select(Revision.id)
    .where(
        Revision.article_id == bindparam("article"),
        Revision.mark == bindparam("mark"),
        Revision.number < bindparam("number"),
    )
    .limit(at_most(1))
)


@cache
def _candidates(which: _Which, *, with_fixed: bool) -> Prepared:
    """An article's corrections: all, those `near` a place or `quoting the same`.

    Near are those that quote the same, too, and those whose place is not known.
    """
    quotes_the_same = Correction.passage_hash == bindparam("hash")
    near = and_(
        Correction.anchor_start <= bindparam("before"),
        Correction.anchor_end >= bindparam("after"),
    )
    conditions = {
        "all": [],
        "near": [or_(quotes_the_same, Correction.anchor_start.is_(None), near)],
        "quoting the same": [quotes_the_same],
    }
    states = OPEN | {State.FIXED} if with_fixed else OPEN
    return Prepared(
        select(
            Correction.id,
            Correction.state,
            Correction.exact,
            Correction.prefix,
            Correction.suffix,
            Correction.start,
            Correction.anchor_state,
            Correction.anchor_start,
            Report.suggestion,
            Report.revision,
        )
        .join(Report, and_(Report.correction_id == Correction.id, Report.ordinal == 1))
        .where(
            Correction.article_id == bindparam("article"),
            Correction.exact.is_not(None),
            Correction.state.in_([literal_column(f"'{state}'") for state in sorted(states)]),
            Correction.suspected == bindparam("suspected"),
            *conditions[which],
        )
        # As their index has them: SQLite takes longer to sort a few than to find them.
        .order_by(Correction.state, Correction.id)
        .limit(at_most(CANDIDATES))
    )


def _is_same_text(known: Any, new: NewReport, place: Place) -> bool:
    """Whether the positions of both count in one text."""
    if place.has_text:
        return AnchorState.ORPHANED not in {known.anchor_state, place.state}
    return known.revision == new.revision or None in {known.revision, new.revision}


def proposal(known: Known, new: NewReport, place: Place) -> str | None:
    """The report's suggestion, told for just the words of the correction that it joins."""
    quoted = _selector(new, start_of(new, place))
    return proposals.proposal(known.exact, known.start, quoted, new.suggestion)


def _start(known: Any) -> int | None:
    start: int | None = known.start if known.anchor_start is None else known.anchor_start
    return start


def _selector(of: Any, start: int | None) -> text.Selector:
    return text.Selector(of.exact or "", of.prefix, of.suffix, start)
