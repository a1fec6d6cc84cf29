"""The verb of intake: keep a report, let it join its correction, tell the outbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service import addresses, events, hashing
from service.db import new_id
from service.errors import KeyReused, invalid
from service.intake import passages
from service.intake.passages import Place
from service.intake.reports import NewReport, Receipt
from service.models import Article, Correction, Move, Report, Site, State


def submit(
    session: Session, site: Site, new: NewReport, *, key: str, secret: str, now: datetime
) -> Receipt:
    """Keep a report; the same key and body again give the same receipt.

    Raises InvalidFields, and KeyReused when the key came with another body. On PostgreSQL two
    requests with one key but different articles may meet in an IntegrityError: try once more.
    """
    new.check(site.excerpt_limit)
    article = _article(session, site, new, now)
    # After the article's lock: a request with the same key has either committed or not begun.
    if replay := _replay(session, site, new, key, secret):
        return replay
    report_id = new_id()
    place = passages.find(session, article, new)
    correction, is_first = _correction(session, article, new, place, now)
    is_fixed = place.is_fixed and not correction.suspected
    token = _receipt_token(secret, report_id)
    session.add(
        Report(
            id=report_id,
            site_id=site.id,
            correction_id=correction.id,
            idempotency_key=key,
            body_hash=new.body_hash(),
            receipt_hash=hashing.fingerprint(token),
            ordinal=correction.report_count,
            source=new.source,
            title=new.title,
            lang=new.lang,
            exact=new.exact,
            prefix=new.prefix,
            suffix=new.suffix,
            start=new.start,
            end=new.end,
            revision=new.revision,
            suggestion=new.suggestion,
            proposal=passages.proposal(correction, new, place),
            comment=new.comment,
            category=new.category,
            email=new.email,
            suspected=new.is_trapped,
            already_fixed=is_fixed,
            created_at=now,
        )
    )
    events.emit(session, "report.created", correction, now=now)
    if is_first and not correction.suspected:
        events.emit(session, "correction.created", correction, now=now)
    if is_fixed and correction.state is not State.FIXED:
        _fix(session, correction, now)
    return Receipt(
        report_id, correction.id, token, correction.report_count - 1, already_fixed=is_fixed
    )


def _receipt_token(secret: str, report_id: UUID) -> str:
    # Derived, so that a replayed request gets the same link though only its hash is stored.
    return hashing.keyed(secret, "receipt", str(report_id))


def _replay(session: Session, site: Site, new: NewReport, key: str, secret: str) -> Receipt | None:
    known = session.scalar(
        select(Report).where(Report.site_id == site.id, Report.idempotency_key == key)
    )
    if known is None:
        return None
    if known.body_hash != new.body_hash():
        raise KeyReused("This idempotency key was used for another report.")
    token = _receipt_token(secret, known.id)
    return Receipt(
        known.id,
        known.correction_id,
        token,
        known.ordinal - 1,
        is_replay=True,
        already_fixed=known.already_fixed,
    )


def _article(session: Session, site: Site, new: NewReport, now: datetime) -> Article:
    """The report's article, made if it is new, its row locked until the transaction ends."""
    try:
        url = addresses.article_address(new.source, new.canonical, site.origins)
    except addresses.BadAddress as error:
        raise invalid("/target/source", f"The address {error}.") from None
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(Article)
        .values(
            id=new_id(), site_id=site.id, url=url, title=new.title, lang=new.lang, created_at=now
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Article).where(Article.site_id == site.id, Article.url == url).with_for_update()
    ).one()


def _correction(
    session: Session, article: Article, new: NewReport, place: Place, now: datetime
) -> tuple[Correction, bool]:
    """The correction of the same passage, counted up, or a new one."""
    if known := passages.same(session, article, new, place):
        session.execute(
            update(Correction)
            .where(Correction.id == known.id)
            .values(
                report_count=Correction.report_count + 1,
                version=Correction.version + 1,
                updated_at=now,
            )
        )
        session.refresh(known)
        return known, False
    correction = Correction(
        site_id=article.site_id,
        article_id=article.id,
        suspected=new.is_trapped,
        exact=new.exact,
        prefix=new.prefix,
        suffix=new.suffix,
        start=new.start,
        end=new.end,
        anchor_state=place.state,
        anchor_start=place.start,
        anchor_end=place.end,
        passage_hash=passages.hash_of(new),
        category=new.category,
        report_count=1,
        created_at=now,
        updated_at=now,
    )
    session.add(correction)
    session.flush()
    return correction, True


def _fix(session: Session, correction: Correction, now: datetime) -> None:
    """Close a correction whose mistake the newest revision no longer has."""
    session.add(
        Move(
            correction_id=correction.id,
            from_state=correction.state,
            to_state=State.FIXED,
            by="revision",
            reason="The reader saw an older text.",
            created_at=now,
        )
    )
    correction.state, correction.version = State.FIXED, correction.version + 1
    events.emit(session, "correction.fixed", correction, now=now)
