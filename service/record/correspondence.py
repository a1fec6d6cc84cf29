"""Letters to readers: what they say, and the chore by which they come about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from service import catalogues, hashing
from service.catalogues import Texts
from service.db import Database, takes_turn
from service.letters import Composed, Writer, Writers
from service.models import Article, Correction, Letter, Report, Site
from service.record import answers, stages
from service.record.stages import Stage, Standing
from service.settings import Settings

_TURN = 4_110_017_002
"""The advisory lock on PostgreSQL of the one who asks and tells."""

SUBJECTS = {Stage.CORRECTED: "subject_corrected", Stage.UNCHANGED: "subject_unchanged"}
VERDICTS = {Stage.CORRECTED: "corrected", Stage.UNCHANGED: "unchanged"}


def utc_now() -> datetime:
    """This instant."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Writes to readers who left an address."""

    settings: Settings
    clock: Callable[[], datetime] = utc_now

    @property
    def writers(self) -> Writers:
        """The writers of both kinds of letters."""
        return {
            answers.QUESTION: Writer(self._question),
            answers.ANSWER: Writer(self._answer, answers.put_back),
        }

    @property
    def _hold(self) -> timedelta:
        return timedelta(seconds=self.settings.hold_seconds)

    def tend(self, database: Database) -> None:
        """Ask who has not been asked, tell who waits for a decision, erase what is old.

        Without an SMTP server nobody is asked or told: addresses wait, and are erased in time.
        """
        now, hold = self.clock(), self._hold
        with database.read() as session:
            old = answers.outdated(session, now=now)
            new = answers.unasked(session, now=now) if self.settings.smtp_url else []
            settled = answers.untold(session, hold=hold, now=now) if self.settings.smtp_url else []
        if not old and not new and not settled:
            return
        with database.write() as session:
            if takes_turn(session, _TURN):
                answers.erase(session, old, now=now)
                answers.ask(session, new, secret=self.settings.secret_key, now=now)
                answers.tell(session, settled, now=now)

    def _question(self, session: Session, letter: Letter) -> Composed | None:
        report = session.get(Report, letter.subject_id)
        if report is None or letter.recipient is None or report.email_confirmed_at is not None:
            return None
        site = session.get_one(Site, report.site_id)
        text = _texts(report, site)
        url, stop_url = self._links(site, letter.recipient, text)
        parts = [
            text("question", site=site.name),
            f"{text('question_link')}\n{url}",
            text("question_else", site.email_retention_days),
            f"-- \n{text('stop', site=site.name)}: {stop_url}",
        ]
        return Composed(text("subject_question", site=_line(site.name)), _joined(parts), stop_url)

    def _answer(self, session: Session, letter: Letter) -> Composed | None:
        report = session.get(Report, letter.subject_id)
        if report is None or letter.recipient is None:
            return None
        correction = session.get_one(Correction, report.correction_id)
        now = self.clock()
        standing = stages.of(session, correction, now=now)
        # It may be another decision by now than the one for which it was written down.
        if standing.settled_at is None or standing.settled_at > now - self._hold:
            return None
        site = session.get_one(Site, report.site_id)
        article = session.get_one(Article, correction.article_id)
        text = _texts(report, site)
        _, stop_url = self._links(site, letter.recipient, text)
        parts = [
            text(VERDICTS[standing.stage], site=site.name),
            *_about(text, report, article),
            *_said(text, standing, correction),
            *self._ways(text, report, site, standing),
            f"-- \n{text('last', site=site.name)}\n{text('stop', site=site.name)}: {stop_url}",
        ]
        subject = text(SUBJECTS[standing.stage], site=_line(site.name))
        return Composed(subject, _joined(parts), stop_url)

    def _links(self, site: Site, recipient: str, text: Texts) -> tuple[str, str]:
        """Where the recipient says yes, and where no more."""
        mark = answers.mark(self.settings.secret_key, site.id, recipient)
        base, locale = (
            f"{self.settings.public_url}/mail/{site.key}/{mark}",
            f"?locale={text.locale}",
        )
        return base + locale, f"{base}/stop{locale}"

    def _ways(self, text: Texts, report: Report, site: Site, standing: Standing) -> list[str]:
        token = hashing.receipt_token(self.settings.secret_key, report.id, report.receipt_hash)
        url = self.settings.public_url
        found = [f"{text('receipt')}:\n{url}/r/{token}?locale={text.locale}"]
        if standing.published:
            found.append(f"{text('record')}:\n{url}/record/{site.key}/{standing.published.id}")
        return found


def _texts(report: Report, site: Site) -> Texts:
    # The language in which the reader was reading.
    return catalogues.spoken("letters", site, report.lang or "")


def _about(text: Texts, report: Report, article: Article) -> list[str]:
    """The article, and what this reader wrote themselves."""
    wrote = [report.exact, report.suggestion] if report.suggestion is not None else [report.exact]
    quoted = " → ".join(f"“{_line(part)}”" for part in wrote if part is not None)
    parts = [f"{text('article')}: {_line(article.title or article.url)}\n{article.url}"]
    if quoted or report.comment:
        parts.append(f"{text('wrote')}:\n{_quote(quoted or report.comment or '')}")
    return parts


def _said(text: Texts, standing: Standing, correction: Correction) -> list[str]:
    note = standing.correction.public_note or correction.public_note
    return [f"{text('note')}:\n{_quote(note)}"] if note else []


def _line(text: str) -> str:
    return " ".join(text.split())


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _joined(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"
