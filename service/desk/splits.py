"""Splits: reports that joined a correction though they mean another mistake are taken out of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service import documents, events, hashing, proposals, text
from service.desk import moves, revisions, timeline
from service.desk.changes import change, find
from service.desk.moves import By, Decision
from service.errors import NotAllowedMove, StaleVersion, invalid
from service.models import (
    AnchorState,
    Article,
    Change,
    Correction,
    Report,
    Revision,
    StaleHour,
    State,
)

REASON = "Put back"


def split(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    report_ids: Sequence[UUID],
    *,
    by: By,
    now: datetime,
    versions: frozenset[int] | None = None,
) -> Correction:
    """Take some of a correction's reports out into a new one, which is about what the first quotes.

    At least one report stays. Emits `correction.created`. Raises NotFound, StaleVersion,
    InvalidFields.
    """
    source = _locked(session, site_id, correction_id)
    moves.check_version(source, versions)
    chosen = _chosen(session, source, report_ids)
    made = _made(session, source, chosen, now)
    _hand_over(session, source, made, chosen, now)
    timeline.add(session, source.id, "split_into", None, str(made.id), by=by, now=now)
    timeline.add(session, made.id, "split_from", None, str(source.id), by=by, now=now)
    if not made.suspected:
        events.emit(session, "correction.created", made, now=now)
    return made


def put_back(
    session: Session, site_id: UUID, correction_id: UUID, *, by: By, now: datetime
) -> Correction:
    """Undo a split: the reports go back where they came from; the emptied correction repeats it.

    Returns the correction that they came from; where that was itself emptied so, the one before.
    Raises NotFound, and NotAllowedMove where this one was not split off or was decided on since.
    """
    made = _locked(session, site_id, correction_id)
    came_from = _came_from(session, correction_id)
    if came_from is None or made.report_count == 0:
        raise NotAllowedMove("This correction was not split off another one.")
    if made.state is not State.NEW:
        raise NotAllowedMove(
            "This correction is %(state)s by now; reopen it first.", values={"state": made.state}
        )
    source = _locked(session, site_id, came_from)
    while source.report_count == 0 and (before := _came_from(session, source.id)):
        source = _locked(session, site_id, before)
    reports = session.scalars(select(Report).where(Report.correction_id == made.id)).all()
    _hand_over(session, made, source, reports, now)
    timeline.add(session, source.id, "put_back", str(made.id), None, by=by, now=now)
    _part(session, source, made, by=by, now=now)
    change(session, site_id, made.id, {"duplicate_of": source.id}, by=by, now=now)
    moves.decide(session, site_id, made.id, Decision(State.REJECTED, REASON), by=by, now=now)
    return source


def _came_from(session: Session, correction_id: UUID) -> UUID | None:
    """The correction that this one was split off."""
    found = session.scalar(
        select(Change.now).where(
            Change.correction_id == correction_id, Change.field == "split_from"
        )
    )
    return UUID(found) if found else None


def is_split_off(session: Session, correction_id: UUID) -> bool:
    """Whether `put_back` has something to undo."""
    found = session.scalar(
        select(func.count())
        .select_from(Change)
        .join(Correction, Correction.id == Change.correction_id)
        .where(
            Change.correction_id == correction_id,
            Change.field == "split_from",
            Correction.report_count > 0,
            Correction.state == State.NEW,
        )
    )
    return bool(found)


def _locked(session: Session, site_id: UUID, correction_id: UUID) -> Correction:
    """The correction as it is now; reports and splits of its article wait until this one ends."""
    article_id = find(session, site_id, correction_id).article_id
    session.execute(select(Article.id).where(Article.id == article_id).with_for_update())
    return session.scalars(
        select(Correction)
        .where(Correction.id == correction_id)
        .execution_options(populate_existing=True)
    ).one()


def _chosen(session: Session, source: Correction, ids: Sequence[UUID]) -> Sequence[Report]:
    found = session.scalars(
        select(Report)
        .where(Report.correction_id == source.id, Report.id.in_(ids))
        .order_by(Report.id)
    ).all()
    if not found or len(found) != len(set(ids)):
        raise invalid("/reports", "Choose reports of this correction.")
    if len(found) >= source.report_count:
        raise invalid("/reports", "One report at least must stay.")
    return found


def _made(
    session: Session, source: Correction, chosen: Sequence[Report], now: datetime
) -> Correction:
    first = chosen[0]
    made = Correction(
        site_id=source.site_id,
        article_id=source.article_id,
        suspected=source.suspected and all(report.suspected for report in chosen),
        exact=first.exact,
        prefix=first.prefix,
        suffix=first.suffix,
        start=first.start,
        end=first.end,
        passage_hash=hashing.fingerprint(text.normalise(first.exact)) if first.exact else None,
        category=first.category,
        report_count=0,
        created_at=now,
        updated_at=now,
    )
    _anchor(session, source, made)
    session.add(made)
    session.flush()
    documents.refresh(session, Correction.id == made.id)
    return made


def _anchor(session: Session, source: Correction, made: Correction) -> None:
    """Where the new correction's words are: where the old one's are if they are the same."""
    newest = revisions.latest(session, made.article_id)
    if (made.exact, made.start) == (source.exact, source.start) or newest is None or not made.exact:
        is_same = (made.exact, made.start) == (source.exact, source.start)
        made.anchor_state = source.anchor_state if is_same else AnchorState.EXACT
        made.anchor_start = source.anchor_start if is_same else made.start
        made.anchor_end = source.anchor_end if is_same else made.end
        return
    _, anchor = text.verdict(revisions.passage(made), [], newest.text)
    made.anchor_state = AnchorState(anchor.state)
    made.anchor_start, made.anchor_end = anchor.start, anchor.end


def _hand_over(
    session: Session, giver: Correction, taker: Correction, reports: Sequence[Report], now: datetime
) -> None:
    for correction, number in ((giver, -len(reports)), (taker, len(reports))):
        counted = session.scalar(
            update(Correction)
            .where(Correction.id == correction.id, Correction.version == correction.version)
            .values(
                report_count=Correction.report_count + number,
                version=Correction.version + 1,
                updated_at=now,
            )
            .returning(Correction.id)
            .execution_options(synchronize_session=False)
        )
        if counted is None:
            raise StaleVersion("Somebody changed this correction at the same moment; look again.")
    newest = revisions.latest(session, taker.article_id)
    for report in reports:
        report.correction_id = taker.id
        if taker.exact != giver.exact:
            report.proposal = _proposal(report, taker, newest)
    session.flush()
    for correction in (giver, taker):
        _number(session, correction)
        session.refresh(correction)
        if correction.report_count in {0, len(reports)}:
            _count_anew(session, correction)


def _part(session: Session, source: Correction, made: Correction, *, by: By, now: datetime) -> None:
    """Part what leads from the source to the emptied one, or they would repeat each other."""
    at, seen = source, {source.id}
    while at.duplicate_of not in {None, made.id, *seen}:
        at = session.get_one(Correction, at.duplicate_of)
        seen.add(at.id)
    if at.duplicate_of == made.id:
        change(session, at.site_id, at.id, {"duplicate_of": None}, by=by, now=now)


def _count_anew(session: Session, correction: Correction) -> None:
    """Let the statistics add up its days again: without reports it is in none of them."""
    for name in ("created_at", "first_decided_at", "fixed_at", "closed_at"):
        if at := getattr(correction, name):
            hour = at.replace(minute=0, second=0, microsecond=0)
            session.add(StaleHour(site_id=correction.site_id, hour=hour))


def _proposal(report: Report, taker: Correction, newest: Revision | None) -> str | None:
    """The report's suggestion, told for just the words of the correction that gets it."""
    quoted = text.Selector(report.exact or "", report.prefix, report.suffix, report.start)
    if newest is not None and report.exact:
        _, anchor = text.verdict(quoted, [], newest.text)
        if anchor.start is not None:
            quoted = replace(quoted, start=anchor.start)
    start = taker.start if taker.anchor_start is None else taker.anchor_start
    return proposals.proposal(taker.exact, start, quoted, report.suggestion)


def _number(session: Session, correction: Correction) -> None:
    """Number a correction's reports from 1 again; the first one speaks for its passage."""
    reports = session.scalars(
        select(Report).where(Report.correction_id == correction.id).order_by(Report.id)
    )
    for ordinal, report in enumerate(reports, 1):
        report.ordinal = ordinal
    session.flush()
