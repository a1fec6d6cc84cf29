"""Which words a report is about: where they are now, and which correction is about the same."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from service import hashing, text
from service.intake.reports import NewReport
from service.models import AnchorState, Article, Correction, Report, Revision, State

OPEN = frozenset({State.NEW, State.ACCEPTED})

CANDIDATES = 200
"""So many corrections at most are compared with a new report."""


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


def find(session: Session, article: Article, new: NewReport) -> Place:
    """Find the report's words in the article's newest revision."""
    newest = session.scalar(
        select(Revision)
        .where(Revision.article_id == article.id)
        .order_by(Revision.number.desc())
        .limit(1)
    )
    if newest is None or new.exact is None:
        return Place(AnchorState.EXACT, new.start, new.end)
    suggestions = [] if new.suggestion is None else [new.suggestion]
    outcome, anchor = text.verdict(_selector(new, new.start), suggestions, newest.text)
    state = AnchorState(anchor.state)
    # On this reader's page they stand where they stand: nothing has moved since.
    state = AnchorState.EXACT if state is AnchorState.MOVED else state
    is_fixed = outcome == "applied" and _is_outdated(session, newest, new.revision)
    return Place(state, anchor.start, anchor.end, has_text=True, is_fixed=is_fixed)


def _is_outdated(session: Session, newest: Revision, seen: str | None) -> bool:
    if seen is None or seen == newest.mark:
        return False
    older = select(Revision.id).where(
        Revision.article_id == newest.article_id,
        Revision.mark == seen,
        Revision.number < newest.number,
    )
    return session.scalar(older.limit(1)) is not None


def hash_of(new: NewReport) -> str | None:
    """A fingerprint of the quoted words as they are compared."""
    return hashing.fingerprint(text.normalise(new.exact)) if new.exact else None


def same(session: Session, article: Article, new: NewReport, place: Place) -> Correction | None:
    """The correction of the same error: an open one, or where it is fixed already, that one."""
    if new.exact is None:
        return None
    states = OPEN | {State.FIXED} if place.is_fixed else OPEN
    start = new.start if place.start is None else place.start
    candidates = session.execute(
        select(Correction, Report.suggestion, Report.revision)
        .join(Report, and_(Report.correction_id == Correction.id, Report.ordinal == 1))
        .where(
            Correction.article_id == article.id,
            Correction.exact.is_not(None),
            or_(Correction.passage_hash == hash_of(new), _near(start, new.exact)),
            Correction.state.in_(states),
            Correction.suspected == new.is_trapped,
        )
        .order_by(Correction.id)
        .limit(CANDIDATES)
    )
    for known, suggestion, revision in candidates:
        if text.same_passage(
            _selector(known, _start(known)),
            _selector(new, start),
            suggestion,
            new.suggestion,
            same_text=_is_same_text(known, revision, new, place),
        ):
            found: Correction = known
            return found
    return None


def _near(start: int | None, exact: str) -> ColumnElement[bool]:
    """The corrections that may be in the same place; all of them where a place is not known."""
    if start is None:
        return true()
    return or_(
        Correction.anchor_start.is_(None),
        and_(
            Correction.anchor_start <= start + len(exact) + 1,
            Correction.anchor_end >= start - 1,
        ),
    )


def _is_same_text(known: Correction, revision: str | None, new: NewReport, place: Place) -> bool:
    """Whether the positions of both count in one text."""
    if place.has_text:
        return AnchorState.ORPHANED not in {known.anchor_state, place.state}
    return revision == new.revision or None in {revision, new.revision}


def proposal(known: Correction, new: NewReport, place: Place) -> str | None:
    """The report's suggestion, told for just the words of a correction that quotes others.

    As it is where it cannot be told so.
    """
    if new.suggestion is None or new.exact is None or known.exact in {None, new.exact}:
        return new.suggestion
    exact = known.exact or ""
    start = new.start if place.start is None else place.start
    words = text.narrowed(_selector(new, start), new.suggestion)
    # What the suggestion keeps at both ends is as long in it as in the quote.
    kept = len(words.prefix) - len(new.prefix)
    added = new.suggestion[kept : len(new.suggestion) - (len(new.exact) - kept - len(words.exact))]
    at = _offset(exact, words, _start(known))
    return new.suggestion if at is None else exact[:at] + added + exact[at + len(words.exact) :]


def _offset(exact: str, words: text.Selector, start: int | None) -> int | None:
    if start is not None and words.start is not None:
        at = words.start - start
        if 0 <= at <= len(exact) and exact.startswith(words.exact, at):
            return at
    return exact.index(words.exact) if words.exact and exact.count(words.exact) == 1 else None


def _start(known: Correction) -> int | None:
    return known.start if known.anchor_start is None else known.anchor_start


def _selector(of: Correction | NewReport, start: int | None) -> text.Selector:
    return text.Selector(of.exact or "", of.prefix, of.suffix, start)
