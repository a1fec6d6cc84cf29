"""The verb of intake: keep a report, let it join its correction, tell the outbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service import addresses, events, hashing, text
from service.db import new_id
from service.errors import KeyReused, invalid
from service.intake.reports import NewReport, Receipt
from service.models import Article, Correction, Report, Site, State

OPEN = (State.NEW, State.ACCEPTED)


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
    correction, is_first = _correction(session, article, new, now)
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
            suggestion=new.suggestion,
            comment=new.comment,
            category=new.category,
            email=new.email,
            suspected=new.is_trapped,
            created_at=now,
        )
    )
    events.emit(session, "report.created", correction, now=now)
    if is_first and not correction.suspected:
        events.emit(session, "correction.created", correction, now=now)
    return Receipt(report_id, correction.id, token, correction.report_count - 1)


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
    return Receipt(known.id, known.correction_id, token, known.ordinal - 1, is_replay=True)


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
    session: Session, article: Article, new: NewReport, now: datetime
) -> tuple[Correction, bool]:
    """The open correction of the same passage, counted up, or a new one."""
    passage_hash = hashing.fingerprint(text.normalise(new.exact)) if new.exact else None
    if known := _same_passage(session, article, new, passage_hash):
        session.execute(
            update(Correction)
            .where(Correction.id == known.id)
            .values(report_count=Correction.report_count + 1, updated_at=now)
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
        anchor_start=new.start,
        anchor_end=new.end,
        passage_hash=passage_hash,
        category=new.category,
        report_count=1,
        created_at=now,
        updated_at=now,
    )
    session.add(correction)
    session.flush()
    return correction, True


def _same_passage(
    session: Session, article: Article, new: NewReport, passage_hash: str | None
) -> Correction | None:
    if passage_hash is None:
        return None
    candidates = session.scalars(
        select(Correction)
        .where(
            Correction.article_id == article.id,
            Correction.passage_hash == passage_hash,
            Correction.state.in_(OPEN),
            Correction.suspected == new.is_trapped,
        )
        .order_by(Correction.id)
    )
    return next(
        (known for known in candidates if text.same_passage(_passage(known), _passage(new))), None
    )


def _passage(of: Correction | NewReport) -> text.Selector:
    return text.Selector(of.exact or "", of.prefix, of.suffix, of.start, of.end)
