"""Readers who want to hear: an address is confirmed, used for one message, and erased.

Nobody is written to who did not ask for it: the letter that asks has none of the report's words,
and goes out at most LETTERS_A_DAY times to one address, LETTERS_AN_HOUR times for one site.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, union, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from service import hashing, letters
from service.models import Correction, Delivery, DeliveryState, Letter, Report, Site
from service.record import stages

QUESTION, ANSWER = "question", "answer"
"""The kinds of letters: shall we write to you; what became of your report."""

LETTERS_A_DAY = 3
LETTERS_AN_HOUR = 200
ASKED_WITHIN = timedelta(days=2)
"""Reports that waited longer, as suspected spam, are not asked about."""

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AT_A_TURN = 100

_ADDRESSED = Report.email.is_not(None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many reports of one address on one site wait for an answer."""

    unconfirmed: int
    confirmed: int


def mark(secret: str, site_id: UUID, email: str) -> str:
    """What shows that somebody reads the mail of an address: part of the links in letters to it."""
    return hashing.keyed(secret, f"reader of {site_id}", email.lower())


def unasked(session: Session, *, now: datetime) -> Sequence[UUID]:
    """The first reports whose readers are to be asked, or passed over."""
    is_old = Report.created_at < now - ASKED_WITHIN
    return session.scalars(
        select(Report.id)
        .join(Correction, Correction.id == Report.correction_id)
        .where(_ADDRESSED, Report.email_asked_at.is_(None), or_(~Correction.suspected, is_old))
        .order_by(Report.id)
        .limit(AT_A_TURN)
    ).all()


def ask(session: Session, ids: Iterable[UUID], *, secret: str, now: datetime) -> None:
    """Ask the readers of these reports whether they want to hear, as far as the limits allow."""
    for report, email in _claimed(session, ids, Report.email_asked_at.is_(None)):
        if report.created_at < now - ASKED_WITHIN:
            report.email_asked_at = now
        elif _counted(session, now - HOUR, Report.site_id == report.site_id) < LETTERS_AN_HOUR:
            report.email_asked_at = now
            _ask(session, report, email, secret=secret, now=now)
        session.flush()


def _ask(session: Session, report: Report, email: str, *, secret: str, now: datetime) -> None:
    known = _address_hash(secret, email)
    same = Report.email_hash == known
    is_open = and_(
        same, Report.site_id == report.site_id, _ADDRESSED, Report.email_confirmed_at.is_(None)
    )
    # One answer confirms all that wait: while a question is open, no second one is sent.
    if _counted(session, now - DAY, is_open):
        return
    if _counted(session, now - DAY, same) < LETTERS_A_DAY:
        report.email_hash = known
        letters.enqueue(session, report.site_id, QUESTION, email, {}, now=now, subject_id=report.id)


def _counted(session: Session, since: datetime, *which: ColumnElement[bool]) -> int:
    """How many letters have asked since then."""
    found = select(func.count()).where(
        Report.email_hash.is_not(None), Report.email_asked_at > since, *which
    )
    return session.scalar(found) or 0


def _address_hash(secret: str, email: str) -> str:
    """Of the mailbox that most providers would deliver to: without a tag, dots and capitals."""
    name, _, domain = email.casefold().rpartition("@")
    return hashing.keyed(secret, "mailbox", f"{name.partition('+')[0].replace('.', '')}@{domain}")


def waiting(session: Session, site: Site, given: str, *, secret: str) -> Waiting:
    """What waits for the answer of the address that a link's mark is for; zeros for any other."""
    found = session.execute(
        select(func.count(), func.count(Report.email_confirmed_at)).where(
            Report.site_id == site.id, Report.email.in_(_addresses(session, site, given, secret))
        )
    ).one()
    return Waiting(found[0] - found[1], found[1])


def confirm(session: Session, site: Site, given: str, *, secret: str, now: datetime) -> None:
    """Answer yes for every report of the address that waits."""
    session.execute(
        update(Report)
        .where(
            Report.site_id == site.id,
            Report.email.in_(_addresses(session, site, given, secret)),
            Report.email_confirmed_at.is_(None),
        )
        .values(email_confirmed_at=now)
        .execution_options(synchronize_session=False)
    )


def stop(session: Session, site: Site, given: str, *, secret: str, now: datetime) -> None:
    """Erase the address everywhere on the site, also from letters that have not left."""
    known = _addresses(session, site, given, secret)
    subjects = session.scalars(_letters(Letter.site_id == site.id, Letter.recipient.in_(known)))
    for report_id in subjects.all():
        letters.cancel(session, report_id, now=now)
    session.execute(
        update(Report)
        .where(Report.site_id == site.id, Report.email.in_(known))
        .values(email=None)
        .execution_options(synchronize_session=False)
    )


def _addresses(session: Session, site: Site, given: str, secret: str) -> list[str]:
    """The addresses, as they were written, that have this mark: none is stored with one."""
    kept = select(Report.email).where(Report.site_id == site.id, _ADDRESSED)
    leaving = _letters(Letter.site_id == site.id).with_only_columns(Letter.recipient)
    return [
        email
        for email in session.scalars(kept.union(leaving))
        if email and hmac.compare_digest(mark(secret, site.id, email).encode(), given.encode())
    ]


def _letters(*which: ColumnElement[bool]) -> Select[UUID]:
    """The reports about which letters to readers have not left."""
    # What is asked for here is about a report: the column is not null in these rows.
    about: InstrumentedAttribute[UUID] = Letter.subject_id  # type: ignore[assignment]
    return (
        select(about)
        .join(Delivery, Delivery.letter_id == Letter.id)
        .where(Delivery.state == DeliveryState.PENDING, Letter.kind.in_((QUESTION, ANSWER)), *which)
    )


def untold(session: Session, *, hold: timedelta, now: datetime) -> Sequence[UUID]:
    """Reports whose readers are to be told: decided, and nobody has taken it back for `hold`."""
    found = session.execute(
        select(Report.id, Correction)
        .join(Correction, Correction.id == Report.correction_id)
        .where(_ADDRESSED, Report.email_confirmed_at.is_not(None), stages.may_be_settled(now))
        .order_by(Report.id)
    )
    settled = (
        (report_id, stages.of(session, correction, now=now).settled_at)
        for report_id, correction in found
    )
    ready = (report_id for report_id, at in settled if at is not None and at <= now - hold)
    return list(islice(ready, AT_A_TURN))


def tell(session: Session, ids: Iterable[UUID], *, now: datetime) -> None:
    """Hand the addresses of these reports over to letters, which are erased once they ended."""
    for report, email in _claimed(session, ids, Report.email_confirmed_at.is_not(None)):
        letters.enqueue(session, report.site_id, ANSWER, email, {}, now=now, subject_id=report.id)
        report.email = None


def put_back(session: Session, letter: Letter, state: DeliveryState, _now: datetime) -> None:
    """Keep the address of an answer that was dropped because the decision was taken back.

    Where another one was made since, `untold` finds it once its own hold is over.
    """
    if state is DeliveryState.DROPPED:
        session.execute(
            update(Report)
            .where(Report.id == letter.subject_id, Report.email.is_(None))
            .values(email=letter.recipient)
        )


def outdated(session: Session, *, now: datetime) -> Sequence[UUID]:
    """Reports whose address, or what counted its letters, has been kept long enough."""
    days = session.scalars(select(Site.email_retention_days).distinct())
    is_old = or_(
        false(),
        *(
            and_(Site.email_retention_days == each, Report.created_at < now - timedelta(days=each))
            for each in days
        ),
    )
    reports = select(Report.id).join(Site, Site.id == Report.site_id)
    leaving = Report.id.in_(_letters())
    counted = and_(Report.email_hash.is_not(None), Report.email_asked_at <= now - DAY)
    found = union(
        reports.where(_ADDRESSED, is_old), reports.where(leaving, is_old), reports.where(counted)
    )
    return session.scalars(found.limit(AT_A_TURN)).all()


def erase(session: Session, ids: Sequence[UUID], *, now: datetime) -> None:
    """Erase what `outdated` has found."""
    session.execute(
        update(Report)
        .where(Report.id.in_(ids), Report.email_asked_at <= now - DAY)
        .values(email_hash=None)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(
        select(Report.id, Report.created_at, Site.email_retention_days)
        .join(Site, Site.id == Report.site_id)
        .where(Report.id.in_(ids))
    )
    for report_id, created_at, days in rows.all():
        if created_at < now - timedelta(days=days):
            letters.cancel(session, report_id, now=now)
            session.execute(
                update(Report)
                .where(Report.id == report_id)
                .values(email=None)
                .execution_options(synchronize_session=False)
            )


def _claimed(
    session: Session, ids: Iterable[UUID], *which: ColumnElement[bool]
) -> list[tuple[Report, str]]:
    """Those of these reports that nobody has handled meanwhile, locked, with their addresses."""
    found = session.scalars(
        select(Report)
        .where(Report.id.in_(ids), _ADDRESSED, *which)
        .order_by(Report.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [(report, report.email) for report in found if report.email is not None]
