"""Revisions: an article's new text arrives, and its corrections are found again in it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from service import addresses, hashing, text
from service.db import new_id
from service.desk import moves
from service.desk.moves import By, Decision
from service.errors import invalid
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


def push(session: Session, site: Site, new: NewText, *, now: datetime) -> Pushed:
    """Keep a revision and find the article's corrections in it.

    The text that is there already, or one published before it, changes nothing. Raises
    InvalidFields where the address is not one of the site's.
    """
    article = _article(session, site, new, now)
    newest = latest(session, article.id)
    if newest is not None and (newest.text == new.text or _is_older(new, newest)):
        return Pushed(newest.number, kept=len(_corrections(session, article.id, OPEN)))
    if new.title:
        article.title = new.title
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
    _find_open(session, article.id, new.text, pushed, now)
    _reopen(session, article.id, new.text, pushed, now)
    return pushed


def latest(session: Session, article_id: UUID) -> Revision | None:
    """The newest revision of an article."""
    return session.scalar(
        select(Revision)
        .where(Revision.article_id == article_id)
        .order_by(Revision.number.desc())
        .limit(1)
    )


def _article(session: Session, site: Site, new: NewText, now: datetime) -> Article:
    """The article, made if it is new, locked until the transaction ends: pushes queue here."""
    try:
        url = addresses.article_address(new.url, None, site.origins)
    except addresses.BadAddress as error:
        raise invalid("/url", f"The address {error}.") from None
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(Article)
        .values(id=new_id(), site_id=site.id, url=url, title=new.title, created_at=now)
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Article).where(Article.site_id == site.id, Article.url == url).with_for_update()
    ).one()


def _is_older(new: NewText, newest: Revision) -> bool:
    if new.published_at is None or newest.published_at is None:
        return False
    return new.published_at < newest.published_at


def _corrections(
    session: Session, article_id: UUID, states: Sequence[State]
) -> Sequence[Correction]:
    return session.scalars(
        select(Correction)
        .where(
            Correction.article_id == article_id,
            Correction.state.in_(states),
            Correction.exact.is_not(None),
        )
        .order_by(Correction.id)
        .execution_options(populate_existing=True)
    ).all()


def _find_open(
    session: Session, article_id: UUID, new_text: str, pushed: Pushed, now: datetime
) -> None:
    found = _corrections(session, article_id, OPEN)
    proposals = _proposals(session, found)
    changes: list[dict[str, Any]] = []
    counted: Counter[str] = Counter()
    applied: list[Correction] = []
    for correction in found:
        outcome, anchor = text.verdict(passage(correction), proposals[correction.id], new_text)
        if outcome == "applied" and not correction.suspected:
            applied.append(correction)
        after = _anchored(correction, anchor)
        if after != _anchor(correction):
            changes.append({"of": correction.id, **after, "at": now})
        if outcome != "applied":
            counted[_told(correction, after)] += 1
    _write_anchors(session, changes)
    for correction in applied:
        moves.decide(
            session,
            correction.site_id,
            correction.id,
            Decision(State.FIXED, f"Revision {pushed.revision}"),
            by=BY_REVISION,
            now=now,
        )
        pushed.fixed.append(correction.id)
    pushed.kept, pushed.moved = counted["kept"], counted["moved"]
    pushed.changed, pushed.orphaned = counted["changed"], counted["orphaned"]


def _reopen(
    session: Session, article_id: UUID, new_text: str, pushed: Pushed, now: datetime
) -> None:
    """Reopen what a revision had fixed and this one brings back, word for word."""
    later = aliased(Move)
    fixed_by_revision = (
        select(Move.correction_id)
        .where(Move.to_state == State.FIXED, Move.by == BY_REVISION.label)
        .where(~exists().where(later.correction_id == Move.correction_id, later.id > Move.id))
    )
    found = [
        correction
        for correction in _corrections(session, article_id, (State.FIXED,))
        if correction.id not in pushed.fixed
    ]
    ids = set(
        session.scalars(
            fixed_by_revision.where(Move.correction_id.in_([each.id for each in found]))
        )
    )
    mine = [correction for correction in found if correction.id in ids]
    proposals = _proposals(session, mine)
    changes: list[dict[str, Any]] = []
    for correction in mine:
        outcome, anchor = text.verdict(passage(correction), proposals[correction.id], new_text)
        after = _anchored(correction, anchor)
        if after != _anchor(correction):
            changes.append({"of": correction.id, **after, "at": now})
        if outcome == "present":
            pushed.reopened.append(correction.id)
    _write_anchors(session, changes)
    for correction_id in pushed.reopened:
        moves.decide(
            session,
            mine[0].site_id,
            correction_id,
            Decision(State.NEW, BACK),
            by=BY_REVISION,
            now=now,
        )


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


def _anchor(correction: Correction) -> dict[str, Any]:
    return {
        "state": correction.anchor_state,
        "start": correction.anchor_start,
        "end": correction.anchor_end,
    }


def _anchored(correction: Correction, anchor: text.Anchor) -> dict[str, Any]:
    """The anchor to keep: moved or not is told against the place where readers saw the words."""
    state = AnchorState(anchor.state)
    was_verbatim = correction.anchor_state in {AnchorState.EXACT, AnchorState.MOVED}
    if state is AnchorState.EXACT and was_verbatim:
        state = correction.anchor_state
    elif state in {AnchorState.EXACT, AnchorState.MOVED}:
        is_home = correction.start in {None, anchor.start}
        state = AnchorState.EXACT if is_home else AnchorState.MOVED
    return {"state": state, "start": anchor.start, "end": anchor.end}


def _told(correction: Correction, after: dict[str, Any]) -> str:
    """How the push counts this correction: against where it was before."""
    state: AnchorState = after["state"]
    if state in {AnchorState.CHANGED, AnchorState.ORPHANED}:
        return "kept" if state is correction.anchor_state else state.value
    is_same = correction.anchor_start in {None, after["start"]}
    return "kept" if is_same else "moved"


def _write_anchors(session: Session, changes: list[dict[str, Any]]) -> None:
    if not changes:
        return
    session.flush()
    session.connection().execute(
        update(Correction)
        .where(Correction.id == bindparam("to_of"))
        .values(
            anchor_state=bindparam("to_state"),
            anchor_start=bindparam("to_start"),
            anchor_end=bindparam("to_end"),
            version=Correction.version + 1,
            updated_at=bindparam("to_at"),
        ),
        [{f"to_{name}": value for name, value in each.items()} for each in changes],
    )
