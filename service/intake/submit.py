"""The verb of intake: keep reports, let each join its correction, tell the outbox.

Reports that arrive together go through its stages together: each stage is a statement for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy import case as chosen
from sqlalchemy.orm import Session

from service import addresses, documents, events, hashing, snapshots
from service.db import Asking, Prepared, UtcDateTime, connection_of, new_id
from service.errors import KeyReused, Refusal
from service.intake import passages, screening
from service.intake.passages import Asked, Known, Place
from service.intake.reports import NewReport, Outcome, Receipt, Submission
from service.intake.screening import Screened
from service.models import Article, Correction, Move, Report, Site, State

Row = dict[str, Any]


@dataclass(slots=True, eq=False)
class _Case:
    """A report on its way, and what is known of it so far."""

    given: Submission
    outcome: Outcome | None = None
    article: Any = None
    screened: Screened = field(init=False)
    place: Place = field(init=False)
    known: Known | None = None
    """The correction that it joins or begins."""
    begun: Row | None = None
    """The correction's row where it begins one."""
    row: Row = field(init=False)
    token: str = field(init=False)

    def marks(self) -> set[tuple[object, ...]]:
        """What the stages know a report by: those who share one have to come one by one."""
        given, site_id = self.given, self.given.site.id
        found: dict[str, str | None] = {"url": given.url, "key": given.key}
        found |= {"network": given.prefix, "comment": given.comment_hash}
        return {(site_id, kind, value) for kind, value in found.items() if value is not None}


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
    given = Submission(site, new, key, secret, now, address)
    given.check()
    [outcome] = submit_all(session, [given])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def submit_all(session: Asking, submissions: Sequence[Submission]) -> Sequence[Outcome]:
    """Keep checked reports as if they came one by one; for each its receipt, or what is raised."""
    connection = connection_of(session)
    cases = [_Case(given) for given in submissions]
    # Articles are locked in one order by all: nobody waits for who waits for them.
    waiting = sorted(cases, key=lambda case: (case.given.site.id, case.given.url))
    while waiting:
        together, waiting = _apart(waiting)
        _take(connection, together)
    return [case.outcome for case in cases if case.outcome]


def _open(cases: Sequence[_Case]) -> list[_Case]:
    return [case for case in cases if case.outcome is None]


def _apart(cases: Sequence[_Case]) -> tuple[list[_Case], list[_Case]]:
    """Those that know nothing of each other, and those that have to wait for one of them."""
    together: list[_Case] = []
    waiting: list[_Case] = []
    seen = set[tuple[object, ...]]()
    for case in cases:
        marks = case.marks()
        (together if seen.isdisjoint(marks) else waiting).append(case)
        seen |= marks
    return together, waiting


def _take(connection: Connection, cases: Sequence[_Case]) -> None:
    """Take reports that know nothing of each other through all stages."""
    _find_articles(connection, cases)
    # After the articles' locks: a request with the same key has either committed or not begun.
    _answer_again(connection, cases)
    _screen(connection, _open(cases))
    cases = _open(cases)
    _make_articles(connection, [case for case in cases if case.article is None])
    _complete_articles(connection, cases)
    _find_corrections(connection, cases)
    _write(connection, cases)


def _find_articles(connection: Connection, cases: Sequence[_Case]) -> None:
    """Find the articles that are known, their rows locked until the transaction ends."""
    wanted = [{"site": case.given.site.id, "url": case.given.url} for case in cases]
    for case, article in zip(cases, _BY_URL.one_for(connection, wanted), strict=True):
        case.article = article


def _answer_again(connection: Connection, cases: Sequence[_Case]) -> None:
    """Answer those that were kept before."""
    wanted = [{"site": case.given.site.id, "key": case.given.key} for case in cases]
    for case, known in zip(cases, _REPLAYED.one_for(connection, wanted), strict=True):
        if known is None:
            continue
        if known.body_hash == case.given.body_hash:
            token = hashing.receipt_token(case.given.secret, known.id, known.receipt_hash)
            case.outcome = _receipt(known._asdict(), token, is_replay=True)
        else:
            case.outcome = KeyReused("This idempotency key was used for another report.")


def _screen(connection: Connection, cases: Sequence[_Case]) -> None:
    found = screening.screen(connection, [case.given for case in cases])
    for case, screened in zip(cases, found, strict=True):
        if isinstance(screened, Refusal):
            case.outcome = screened
        else:
            case.screened = screened


def _make_articles(connection: Connection, cases: Sequence[_Case]) -> None:
    """Make the articles that are new."""
    made = [_article(case.given) for case in cases]
    if _NEW_ARTICLE.run(connection, *made) < len(made):
        # Another process was faster with one of them.
        _find_articles(connection, cases)
        return
    for case, article in zip(cases, made, strict=True):
        case.article = SimpleNamespace(**article)


def _complete_articles(connection: Connection, cases: Sequence[_Case]) -> None:
    """Give articles the title and the language that their pushes did not tell."""
    changed, titled = list[Row](), list[UUID]()
    for case in cases:
        known, new = case.article, case.given.new
        title, lang = known.title or new.title, known.lang or new.lang
        if case.screened.suspected or (title, lang) == (known.title, known.lang):
            continue
        changed.append({"article": known.id, "title_now": title, "lang_now": lang})
        if title != known.title:
            titled.append(known.id)
        case.article = known._replace(title=title, lang=lang)
    _COMPLETE_ARTICLE.run(connection, *changed)
    if titled:
        with _session(connection) as session:
            documents.refresh(session, Correction.article_id.in_(titled))


def _find_corrections(connection: Connection, cases: Sequence[_Case]) -> None:
    """Find where the reports' words are, and the corrections that are about the same."""
    found = passages.find(connection, [(case.article.id, case.given.new) for case in cases])
    asked = [
        Asked(case.article.id, case.given.new, place, case.screened.suspected)
        for case, place in zip(cases, found, strict=True)
    ]
    known = passages.same(connection, asked)
    for case, place, joined in zip(cases, found, known, strict=True):
        case.place, case.known = place, joined


def _write(connection: Connection, cases: Sequence[_Case]) -> None:
    """Write all rows, and tell the outbox."""
    for case in cases:
        _join(connection, case)
    _NEW_CORRECTION.run(connection, *(case.begun for case in cases if case.begun))
    _NEW_REPORT.run(connection, *(case.row for case in cases))
    documents.add(connection, [row for case in cases for row in _documents(case)])
    told = _snapshots(connection, cases)
    events.tell(connection, [row for case in cases for row in _events(case, told)])
    for case in cases:
        if case.row["already_fixed"] and case.known and case.known.state is not State.FIXED:
            _fix(connection, case.known.id, case.given.now)
        case.outcome = _receipt(case.row, case.token)


def _join(connection: Connection, case: _Case) -> None:
    """Let the report join its correction, or begin one; its row tells which."""
    given, place, row, ordinal = case.given, case.place, _report(case), 1
    if case.known:
        counted = _COUNT_UP.one(connection, {"known": case.known.id, "now": given.now})
        ordinal = counted.report_count
    else:
        case.begun = _correction(case, row)
        start = passages.start_of(given.new, place)
        exact, suspected = given.new.exact, case.screened.suspected
        case.known = Known(case.begun["id"], State.NEW, suspected, exact, start)
    case.token = hashing.receipt_token(given.secret, row["id"])
    case.row = row | {
        "correction_id": case.known.id,
        "receipt_hash": hashing.receipt_marks(case.token)[0],
        "ordinal": ordinal,
        "proposal": passages.proposal(case.known, given.new, place),
        "already_fixed": place.is_fixed and not case.known.suspected,
    }


def _documents(case: _Case) -> list[Row]:
    article, new, row = case.article, case.given.new, case.row
    own = documents.of_passage(new.exact, None, article.title, article.url) if case.begun else ""
    return documents.of_new(row["correction_id"], row, own)


def _snapshots(connection: Connection, cases: Sequence[_Case]) -> dict[UUID, dict[str, Any]]:
    """The corrections as they are now, by their ids."""
    joined = [case.row["correction_id"] for case in cases if not case.begun]
    found = {
        case.begun["id"]: snapshots.of_first(case.begun, case.article, case.row)
        for case in cases
        if case.begun
    }
    if joined:
        found |= zip(joined, events.of_corrections(connection, joined), strict=True)
    return found


def _events(case: _Case, told: dict[UUID, dict[str, Any]]) -> list[Row]:
    is_told = case.begun and not case.screened.suspected
    kinds = ["report.created", *(["correction.created"] if is_told else [])]
    return events.of_new(kinds, case.row, told[case.row["correction_id"]])


_REPLAYED = Prepared(
    select(
        Report.id,
        Report.correction_id,
        Report.ordinal,
        Report.body_hash,
        Report.receipt_hash,
        Report.already_fixed,
    ).where(Report.site_id == bindparam("site"), Report.idempotency_key == bindparam("key"))
)
_BY_URL = Prepared(
    select(Article.id, Article.url, Article.title, Article.lang)
    .where(Article.site_id == bindparam("site"), Article.url == bindparam("url"))
    .with_for_update()
)
_NOW = bindparam("now", type_=UtcDateTime())
_COUNT_UP = Prepared(
    update(Correction)
    .where(Correction.id == bindparam("known"))
    .values(
        report_count=Correction.report_count + 1,
        version=Correction.version + 1,
        # A report may be written after what was done later than it came.
        updated_at=chosen((Correction.updated_at > _NOW, Correction.updated_at), else_=_NOW),
    )
    .returning(Correction.report_count)
)
_COMPLETE_ARTICLE = Prepared(
    update(Article)
    .where(Article.id == bindparam("article"))
    .values(title=bindparam("title_now"), lang=bindparam("lang_now"))
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


def _receipt(report: Row, token: str, *, is_replay: bool = False) -> Receipt:
    return Receipt(
        report["id"],
        report["correction_id"],
        token,
        report["ordinal"] - 1,
        is_replay=is_replay,
        already_fixed=report["already_fixed"],
    )


def _article(given: Submission) -> Row:
    """The row of an article that is new."""
    return {
        "id": new_id(),
        "site_id": given.site.id,
        "url": given.url,
        "title": given.new.title,
        "lang": given.new.lang,
        "section": addresses.section_of(given.url),
        "tags": [],
        "created_at": given.now,
    }


def _report(case: _Case) -> Row:
    """What of a report's row it tells itself, and its screening."""
    given, new, screened = case.given, case.given.new, case.screened
    return {
        "id": new_id(),
        "site_id": given.site.id,
        "idempotency_key": given.key,
        "body_hash": given.body_hash,
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
        "comment_hash": given.comment_hash,
        "created_at": given.now,
    }


def _correction(case: _Case, report: Row) -> Row:
    """The row of a correction that begins with the report."""
    shared = ("site_id", "suspected", "exact", "prefix", "suffix", "start", "end", "category")
    place, now = case.place, case.given.now
    return {name: report[name] for name in shared} | {
        "id": new_id(),
        "state": State.NEW,
        "version": 1,
        "article_id": case.article.id,
        "anchor_state": place.state,
        "anchor_start": place.start,
        "anchor_end": place.end,
        "passage_hash": passages.hash_of(case.given.new),
        "report_count": 1,
        "created_at": now,
        "updated_at": now,
    }


def _fix(connection: Connection, correction_id: UUID, now: datetime) -> None:
    """Close a correction whose mistake the newest revision no longer has, if it is still open."""
    with _session(connection) as session:
        correction = session.get_one(Correction, correction_id)
        # An editor may have decided on it before the report was counted and locked its row.
        if correction.state not in passages.OPEN or correction.suspected:
            return
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
        session.flush()


def _session(connection: Connection) -> Session:
    """A session whose work stays in the connection's transaction, which it leaves open."""
    return Session(connection, join_transaction_mode="rollback_only")
