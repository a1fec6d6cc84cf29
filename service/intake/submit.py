"""The verb of intake: keep a report, let it join its correction, tell the outbox."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from service import addresses, documents, events, hashing, snapshots
from service.db import Prepared, new_id
from service.errors import KeyReused, invalid
from service.intake import passages, screening, spam
from service.intake.passages import Known, Place
from service.intake.reports import NewReport, Receipt
from service.intake.screening import Screened
from service.models import Article, Correction, Move, Report, Site, State

Row = dict[str, Any]


def submit(
    session: Session,
    site: Site,
    new: NewReport,
    *,
    key: str,
    secret: str,
    now: datetime,
    address: str = "",
) -> Receipt:
    """Keep a report; the same key and body again give the same receipt.

    Of the reader's address only its network's hash is kept. Raises InvalidFields, KeyReused when
    the key came with another body, Blocked, ChallengeRequired. On PostgreSQL two requests with one
    key but different articles may meet in an IntegrityError: try once more.
    """
    new.check(site.excerpt_limit)
    article = _article(session, site, new, now)
    # After the article's lock: a request with the same key has either committed or not begun.
    if replay := _replay(session, site, new, key, secret):
        return replay
    screened = screening.screen(session, site, new, address, secret=secret, now=now)
    place = passages.find(session, article.id, new)
    joined = passages.same(session, article.id, new, place, suspected=screened.suspected)
    report = _report(new, screened) | {
        "site_id": site.id,
        "idempotency_key": key,
        "created_at": now,
    }
    report["receipt_hash"] = hashing.fingerprint(hashing.receipt_token(secret, report["id"]))
    if joined:
        _join(session, joined, new, place, report)
        correction = joined
    else:
        correction = _begin(session, article, new, place, report)
    if report["already_fixed"] and correction.state is not State.FIXED:
        _fix(session, correction.id, now)
    return _receipt(report, secret)


def _join(session: Session, known: Known, new: NewReport, place: Place, report: Row) -> None:
    """Let the report join a correction that is there."""
    counted = _COUNT_UP.one(session, {"known": known.id, "now": report["created_at"]})
    _add(session, known, new, place, report, ordinal=counted.report_count)
    documents.add(session, known.id, report)
    told = events.of_correction(session, known.id)
    events.tell(session, ["report.created"], report, told)


def _begin(session: Session, article: Any, new: NewReport, place: Place, report: Row) -> Known:
    """Begin a correction with the report."""
    made = _correction(article.id, new, place, report)
    _NEW_CORRECTION.run(session, made)
    start = made["start"] if place.start is None else place.start
    known = Known(made["id"], State.NEW, made["suspected"], new.exact, start)
    _add(session, known, new, place, report, ordinal=1)
    own = documents.of_passage(new.exact, None, article.title, article.url)
    documents.add(session, known.id, report, own)
    kinds = ["report.created", *([] if known.suspected else ["correction.created"])]
    events.tell(session, kinds, report, snapshots.of_first(made, article, report))
    return known


def _add(
    session: Session, known: Known, new: NewReport, place: Place, report: Row, *, ordinal: int
) -> None:
    report |= {
        "correction_id": known.id,
        "ordinal": ordinal,
        "proposal": passages.proposal(known, new, place),
        "already_fixed": place.is_fixed and not known.suspected,
    }
    _NEW_REPORT.run(session, report)


_REPLAYED = Prepared(
    select(
        Report.id, Report.correction_id, Report.ordinal, Report.body_hash, Report.already_fixed
    ).where(Report.site_id == bindparam("site"), Report.idempotency_key == bindparam("key"))
)
_BY_URL = Prepared(
    select(Article.id, Article.url, Article.title, Article.lang)
    .where(Article.site_id == bindparam("site"), Article.url == bindparam("url"))
    .with_for_update()
)
_COUNT_UP = Prepared(
    update(Correction)
    .where(Correction.id == bindparam("known"))
    .values(
        report_count=Correction.report_count + 1,
        version=Correction.version + 1,
        updated_at=bindparam("now"),
    )
    .returning(Correction.report_count)
)
_NEW_ARTICLE = Prepared.insert(
    Article, "id site_id url title lang section tags created_at", or_leave=True
)
_NEW_CORRECTION = Prepared.insert(
    Correction,
    "id state version site_id article_id suspected exact prefix suffix start end anchor_state "
    "anchor_start anchor_end passage_hash category report_count created_at updated_at",
)
_NEW_REPORT = Prepared.insert(
    Report,
    "id site_id correction_id idempotency_key body_hash receipt_hash ordinal source title lang "
    "exact prefix suffix start end revision suggestion proposal already_fixed comment category "
    "email suspected spam_score spam_reasons network comment_hash created_at",
)


def _replay(session: Session, site: Site, new: NewReport, key: str, secret: str) -> Receipt | None:
    known = _REPLAYED.one(session, {"site": site.id, "key": key})
    if known is None:
        return None
    if known.body_hash != new.body_hash():
        raise KeyReused("This idempotency key was used for another report.")
    return _receipt(known._asdict(), secret, is_replay=True)


def _receipt(report: Row, secret: str, *, is_replay: bool = False) -> Receipt:
    return Receipt(
        report["id"],
        report["correction_id"],
        hashing.receipt_token(secret, report["id"]),
        report["ordinal"] - 1,
        is_replay=is_replay,
        already_fixed=report["already_fixed"],
    )


def _article(session: Session, site: Site, new: NewReport, now: datetime) -> Any:
    """The report's article, made if it is new, its row locked until the transaction ends."""
    try:
        url = addresses.article_address(new.source, new.canonical, site.origins)
    except addresses.BadAddress as error:
        raise invalid("/target/source", f"The address {error}.") from None
    wanted = {"site": site.id, "url": url}
    if known := _BY_URL.one(session, wanted):
        return known
    made: Row = {
        "id": new_id(),
        "site_id": site.id,
        "url": url,
        "title": new.title,
        "lang": new.lang,
        "section": addresses.section_of(url),
        "tags": [],
        "created_at": now,
    }
    is_new = _NEW_ARTICLE.run(session, made)
    return SimpleNamespace(**made) if is_new else _BY_URL.one(session, wanted)


def _report(new: NewReport, screened: Screened) -> Row:
    """What of a report's row it tells itself, and its screening."""
    return {
        "id": new_id(),
        "body_hash": new.body_hash(),
        "source": new.source,
        "title": new.title,
        "lang": new.lang,
        "exact": new.exact,
        "prefix": new.prefix,
        "suffix": new.suffix,
        "start": new.start,
        "end": new.end,
        "revision": new.revision,
        "suggestion": new.suggestion,
        "comment": new.comment,
        "category": new.category,
        "email": new.email,
        "suspected": screened.suspected,
        "spam_score": screened.score,
        "spam_reasons": [reason.told() for reason in screened.reasons],
        "network": screened.network,
        "comment_hash": spam.comment_hash(new),
    }


def _correction(article_id: UUID, new: NewReport, place: Place, report: Row) -> Row:
    """The row of a correction that begins with the report."""
    shared = ("site_id", "suspected", "exact", "prefix", "suffix", "start", "end", "category")
    return {name: report[name] for name in shared} | {
        "id": new_id(),
        "state": State.NEW,
        "version": 1,
        "article_id": article_id,
        "anchor_state": place.state,
        "anchor_start": place.start,
        "anchor_end": place.end,
        "passage_hash": passages.hash_of(new),
        "report_count": 1,
        "created_at": report["created_at"],
        "updated_at": report["created_at"],
    }


def _fix(session: Session, correction_id: UUID, now: datetime) -> None:
    """Close a correction whose mistake the newest revision no longer has."""
    correction = session.get_one(Correction, correction_id, populate_existing=True)
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
    correction.first_decided_at = correction.first_decided_at or now
    correction.fixed_at = correction.closed_at = now
    correction.state, correction.version = State.FIXED, correction.version + 1
    correction.decided_at = now
    events.emit(session, "correction.fixed", correction, now=now)
