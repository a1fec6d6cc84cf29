"""Revisions: an article's new text arrives, and its corrections are found again in it."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from service import addresses, documents, hashing, text
from service.db import inserting, new_id
from service.desk import moves
from service.desk.moves import By, Decision
from service.errors import NotAllowedMove, invalid
from service.models import AnchorState, Article, Correction, Move, Report, Revision, Site, State

OPEN = (State.NEW, State.ACCEPTED)
BY_REVISION = By("revision")
BACK = "The mistake is in the text again."


@dataclass(frozen=True, slots=True)
class NewText:
    """An article's text as the newsroom has it now, by the text rule."""

    url: str
    text: str
    title: str | None = None
    published_at: datetime | None = None
    section: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(slots=True)
class Pushed:
    """What a revision meant for the article's open corrections.

    `kept`: as they were; `moved`: the words stand elsewhere now; `changed`: other words stand in
    their place; `orphaned`: no longer found; `fixed`: a suggestion is in the text now.
    """

    revision: int
    kept: int = 0
    moved: int = 0
    changed: int = 0
    orphaned: int = 0
    fixed: list[UUID] = field(default_factory=list)
    reopened: list[UUID] = field(default_factory=list)


def text_of(html: str, site: Site) -> str:
    """The article's text in its page's HTML, by the site's selector."""
    return text.article_text(html, site.article_selector)


def plain(given: str) -> str:
    """A text as it is kept: line feeds only, no white space around it, no NUL."""
    lines = given.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return lines.strip(" \t\n\f")


class Searched:
    """What was found in a new text: each passage is searched once."""

    def __init__(self, new_text: str) -> None:
        self._text = new_text
        self._found: dict[tuple[text.Selector, tuple[str, ...]], text.Verdict] = {}

    def verdict(self, correction: Correction, proposals: Sequence[str]) -> text.Verdict:
        """What became of a correction's passage in the new text."""
        asked = passage(correction), tuple(proposals)
        if asked not in self._found:
            self._found[asked] = text.verdict(*asked, self._text)
        return self._found[asked]


def search(session: Session, site: Site, new: NewText) -> Searched:
    """Search ahead of `push` without a lock, so that others need not wait for it."""
    searched = Searched(new.text)
    article_id = session.scalar(
        select(Article.id).where(Article.site_id == site.id, Article.url == _address(site, new))
    )
    if article_id is not None:
        found = [*_open(session, article_id), *_fixed_by_revision(session, article_id)]
        proposals = _proposals(session, found)
        for correction in found:
            searched.verdict(correction, proposals[correction.id])
    return searched


def push(
    session: Session,
    site: Site,
    new: NewText,
    *,
    now: datetime,
    searched: Searched | None = None,
) -> Pushed:
    """Keep a revision and find the article's corrections in it.

    The text that is there already changes at most the title, the section and the tags, one
    published before it nothing.
    Raises InvalidFields where the address is not one of the site's.
    """
    article = _article(session, site, new, now)
    newest = latest(session, article.id)
    is_older = newest is not None and _is_older(new, newest)
    if not is_older:
        _file(article, new)
    if new.title and new.title != article.title and not is_older:
        article.title = new.title
        documents.refresh(session, Correction.article_id == article.id)
    if newest is not None and (is_older or newest.text == new.text):
        return Pushed(newest.number, kept=len(_open(session, article.id)))
    revision = Revision(
        article_id=article.id,
        number=newest.number + 1 if newest else 1,
        text=new.text,
        mark=hashing.short(new.text),
        published_at=new.published_at,
        created_at=now,
    )
    session.add(revision)
    pushed = Pushed(revision.number)
    searched = searched or Searched(new.text)
    fixed = _fixed_by_revision(session, article.id)
    _find_open(session, _open(session, article.id), searched, pushed, now)
    _reopen(session, fixed, searched, pushed, now)
    return pushed


def latest(session: Session, article_id: UUID) -> Revision | None:
    """The newest revision of an article."""
    return session.scalar(
        select(Revision)
        .where(Revision.article_id == article_id)
        .order_by(Revision.number.desc())
        .limit(1)
    )


def _address(site: Site, new: NewText) -> str:
    try:
        return addresses.article_address(new.url, None, site.origins)
    except addresses.BadAddress as error:
        raise invalid("/url", f"The address {error}.") from None


def _article(session: Session, site: Site, new: NewText, now: datetime) -> Article:
    """The article, made if it is new, locked until the transaction ends: pushes queue here."""
    url = _address(site, new)
    session.execute(
        inserting(session, Article)
        .values(
            id=new_id(),
            site_id=site.id,
            url=url,
            title=new.title,
            section=addresses.section_of(url),
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Article).where(Article.site_id == site.id, Article.url == url).with_for_update()
    ).one()


def _file(article: Article, new: NewText) -> None:
    """Put the article into the section and under the tags that came with it, if any did."""
    if new.section:
        article.section = new.section
    if new.tags is not None:
        article.tags = list(new.tags)


def _is_older(new: NewText, newest: Revision) -> bool:
    if new.published_at is None or newest.published_at is None:
        return False
    return new.published_at < newest.published_at


def _passages() -> Select[Correction]:
    return (
        select(Correction)
        .where(Correction.exact.is_not(None))
        .order_by(Correction.id)
        .execution_options(populate_existing=True)
    )


def _open(session: Session, article_id: UUID) -> Sequence[Correction]:
    return session.scalars(
        _passages().where(Correction.article_id == article_id, Correction.state.in_(OPEN))
    ).all()


def _fixed_by_revision(session: Session, article_id: UUID) -> Sequence[Correction]:
    """Those whose last move was a revision's that fixed them."""
    later = aliased(Move)
    return session.scalars(
        _passages()
        .join(Move, Move.correction_id == Correction.id)
        .where(
            Correction.article_id == article_id,
            Correction.state == State.FIXED,
            Move.to_state == State.FIXED,
            Move.by == BY_REVISION.label,
            ~exists().where(later.correction_id == Correction.id, later.id > Move.id),
        )
    ).all()


def _find_open(
    session: Session,
    found: Sequence[Correction],
    searched: Searched,
    pushed: Pushed,
    now: datetime,
) -> None:
    counted: Counter[str] = Counter()
    applied = list[UUID]()
    verdicts = _verdicts(session, found, searched)
    for correction, (outcome, anchor) in verdicts:
        if outcome == "applied" and not correction.suspected:
            applied.append(correction.id)
        else:
            counted[_told(correction, _anchored(correction, anchor))] += 1
    _write_anchors(session, verdicts, now)
    reason = f"Revision {pushed.revision}"
    pushed.fixed = _move(session, found, applied, Decision(State.FIXED, reason), now)
    pushed.kept, pushed.moved = counted["kept"], counted["moved"]
    pushed.changed, pushed.orphaned = counted["changed"], counted["orphaned"]


def _reopen(
    session: Session,
    fixed: Sequence[Correction],
    searched: Searched,
    pushed: Pushed,
    now: datetime,
) -> None:
    """Reopen what a revision had fixed and this one brings back, word for word."""
    verdicts = _verdicts(session, fixed, searched)
    present = [correction.id for correction, (outcome, _) in verdicts if outcome == "present"]
    _write_anchors(session, verdicts, now)
    pushed.reopened = _move(session, fixed, present, Decision(State.NEW, BACK), now)


def _verdicts(
    session: Session, found: Sequence[Correction], searched: Searched
) -> list[tuple[Correction, text.Verdict]]:
    proposals = _proposals(session, found)
    return [(each, searched.verdict(each, proposals[each.id])) for each in found]


def _move(
    session: Session,
    found: Sequence[Correction],
    ids: Sequence[UUID],
    decision: Decision,
    now: datetime,
) -> list[UUID]:
    """Move these but for what somebody decided since it was read; returns which."""
    site_ids = {correction.id: correction.site_id for correction in found}
    moved = list[UUID]()
    for each in ids:
        with suppress(NotAllowedMove):
            moves.decide(session, site_ids[each], each, decision, by=BY_REVISION, now=now)
            moved.append(each)
    return moved


def passage(correction: Correction) -> text.Selector:
    """The correction's words, and where they were last."""
    start = correction.start if correction.anchor_start is None else correction.anchor_start
    return text.Selector(correction.exact or "", correction.prefix, correction.suffix, start)


def _proposals(session: Session, found: Sequence[Correction]) -> dict[UUID, list[str]]:
    """The final wording and the suggestions of each correction, the commonest first."""
    given: dict[UUID, Counter[str]] = {correction.id: Counter() for correction in found}
    reports = session.execute(
        select(Report.correction_id, Report.proposal)
        .where(Report.correction_id.in_(given), Report.proposal.is_not(None))
        .order_by(Report.id)
    )
    for correction_id, proposal in reports:
        given[correction_id][proposal or ""] += 1
    return {
        correction.id: [
            *([correction.wording] if correction.wording is not None else []),
            *(proposal for proposal, _ in given[correction.id].most_common()),
        ]
        for correction in found
    }


@dataclass(frozen=True, slots=True)
class _Anchored:
    state: AnchorState
    start: int | None
    end: int | None


def _anchored(correction: Correction, anchor: text.Anchor) -> _Anchored:
    """The anchor to keep: moved or not is told against the place where readers saw the words."""
    state = AnchorState(anchor.state)
    was_verbatim = correction.anchor_state in {AnchorState.EXACT, AnchorState.MOVED}
    if state is AnchorState.EXACT and was_verbatim:
        state = correction.anchor_state
    elif state in {AnchorState.EXACT, AnchorState.MOVED}:
        is_home = correction.start in {None, anchor.start}
        state = AnchorState.EXACT if is_home else AnchorState.MOVED
    return _Anchored(state, anchor.start, anchor.end)


def _told(correction: Correction, after: _Anchored) -> str:
    """How the push counts this correction: against where it was before."""
    if after.state in {AnchorState.CHANGED, AnchorState.ORPHANED}:
        return "kept" if after.state is correction.anchor_state else after.state.value
    is_same = correction.anchor_start in {None, after.start}
    return "kept" if is_same else "moved"


def _write_anchors(
    session: Session, verdicts: Sequence[tuple[Correction, text.Verdict]], now: datetime
) -> None:
    changes = []
    for correction, (_, anchor) in verdicts:
        after = _anchored(correction, anchor)
        before = correction.anchor_state, correction.anchor_start, correction.anchor_end
        if before != (after.state, after.start, after.end):
            changes.append(
                {
                    "correction": correction.id,
                    "state_now": after.state,
                    "start_now": after.start,
                    "end_now": after.end,
                    "now": now,
                }
            )
    if not changes:
        return
    session.flush()
    session.connection().execute(
        update(Correction)
        .where(Correction.id == bindparam("correction"))
        .values(
            anchor_state=bindparam("state_now"),
            anchor_start=bindparam("start_now"),
            anchor_end=bindparam("end_now"),
            version=Correction.version + 1,
            updated_at=bindparam("now"),
        ),
        changes,
    )
