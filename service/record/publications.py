"""Publishing: an editor puts a correction on the record, changes its entry, or withdraws it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import events
from service.db import Database
from service.errors import NotAllowedMove, NotFound, StaleVersion, invalid
from service.models import Correction, Kind, Publication, PublicationVersion, State

PUBLISHABLE = frozenset({State.ACCEPTED, State.FIXED})


@dataclass(frozen=True, slots=True)
class Entry:
    """The words of one entry; `says` as an empty text means that the words were taken out."""

    kind: Kind
    said: str | None = None
    says: str | None = None
    note: str | None = None
    thanks: str | None = None

    def check(self) -> None:
        """Check what one field alone does not tell; raises InvalidFields."""
        if self.says == "" and not self.said:
            raise invalid("/said", "Say which words were taken out.")
        if not self.note and (self.says is None or self.said == self.says):
            raise invalid("/says", "Say what it says now, or explain it in a note.")


def publish(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    entry: Entry,
    *,
    by: str,
    now: datetime,
    visible_at: datetime | None = None,
    versions: frozenset[int] | None = None,
) -> Publication:
    """Put the entry of a correction on the record, or change the one there is.

    It is seen from `visible_at` on, at once where that is None; what everybody sees already, be it
    as withdrawn, changes at once. Raises InvalidFields, NotFound, StaleVersion, NotAllowedMove.
    """
    entry.check()
    correction = _claim(session, site_id, correction_id, now=now, versions=versions)
    if correction.state not in PUBLISHABLE or correction.suspected:
        raise NotAllowedMove(
            "This correction is %(state)s; accept it or mark it as fixed first.",
            values={"state": correction.state},
        )
    found = of_correction(session, correction_id)
    if found is None:
        found = Publication(
            site_id=site_id,
            article_id=correction.article_id,
            correction_id=correction_id,
            version=0,
            created_at=now,
        )
        session.add(found)
    was_seen = is_visible(found, now)
    for name, value in asdict(entry).items():
        setattr(found, name, value)
    found.version += 1
    if was_seen:
        found.changed_at = now
    else:
        # Everybody sees that one was withdrawn: held back, it would be gone meanwhile.
        begins = now if found.withdrawn_at else visible_at or now
        found.published_at, found.changed_at = begins, None
        found.withdrawn_at = found.withdrawn_reason = None
    found.announced_at = None
    session.flush()
    _keep_version(session, found, by=by, now=now)
    announce(session, now=now, only=found.id)
    return found


def withdraw(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    *,
    by: str,
    now: datetime,
    reason: str | None = None,
    versions: frozenset[int] | None = None,
) -> Publication:
    """Take an entry back: the record goes on saying that there was one, when and why it went.

    One that nobody could see yet leaves no trace in public. Raises NotFound, StaleVersion.
    """
    _claim(session, site_id, correction_id, now=now, versions=versions)
    found = of_correction(session, correction_id)
    if found is None or found.published_at is None or found.withdrawn_at is not None:
        raise NotFound("This correction is not on the record.")
    if is_visible(found, now):
        found.withdrawn_at, found.withdrawn_reason = now, reason
    else:
        found.published_at = None
    found.version += 1
    session.flush()
    _keep_version(session, found, by=by, now=now, withdrawn=True, reason=reason)
    return found


def announce(session: Session, *, now: datetime, only: UUID | None = None) -> int:
    """Tell the outbox of the entries that everybody sees by now; how many there were."""
    seen = (
        update(Publication)
        .where(
            Publication.announced_at.is_(None),
            Publication.published_at <= now,
            Publication.withdrawn_at.is_(None),
        )
        .values(announced_at=now)
        .returning(Publication.correction_id)
        .execution_options(synchronize_session=False)
    )
    if only is not None:
        seen = seen.where(Publication.id == only)
    ids = session.scalars(seen).all()
    for correction in session.scalars(select(Correction).where(Correction.id.in_(ids))):
        events.emit(session, "correction.published", correction, now=now)
    return len(ids)


def is_due(session: Session, now: datetime) -> bool:
    """Whether `announce` has something to tell."""
    waiting = select(Publication.id).where(
        Publication.announced_at.is_(None),
        Publication.published_at <= now,
        Publication.withdrawn_at.is_(None),
    )
    return session.scalar(waiting.limit(1)) is not None


def announce_due(database: Database, clock: Callable[[Session], datetime]) -> None:
    """Tell the outbox of entries whose hold is over; asks first, and mostly writes nothing."""
    with database.read() as session:
        now = clock(session)
        if not is_due(session, now):
            return
    with database.write() as session:
        announce(session, now=now)


def of_correction(session: Session, correction_id: UUID) -> Publication | None:
    """The correction's publication, also one that is held, withdrawn or taken back."""
    return session.scalar(select(Publication).where(Publication.correction_id == correction_id))


def versions_of(session: Session, publication: Publication) -> Sequence[PublicationVersion]:
    """Every step of a publication, the newest first."""
    return session.scalars(
        select(PublicationVersion)
        .where(PublicationVersion.publication_id == publication.id)
        .order_by(PublicationVersion.number.desc())
    ).all()


def is_visible(publication: Publication, now: datetime) -> bool:
    """Whether everybody can read it at this instant."""
    begun = publication.published_at is not None and publication.published_at <= now
    return begun and publication.withdrawn_at is None


def _claim(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    *,
    now: datetime,
    versions: frozenset[int] | None,
) -> Correction:
    """Count the correction's version up, so that of two who publish at once one is told."""
    wanted = [Correction.id == correction_id, Correction.site_id == site_id]
    if versions is not None:
        wanted.append(Correction.version.in_(versions))
    claimed = session.scalar(
        update(Correction)
        .where(*wanted)
        .values(version=Correction.version + 1, updated_at=now)
        .returning(Correction.id)
        .execution_options(synchronize_session=False)
    )
    found = session.scalar(
        select(Correction)
        .where(Correction.id == correction_id, Correction.site_id == site_id)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("There is no such correction.")
    if claimed is None:
        raise StaleVersion(
            "Somebody changed this correction in the meantime: it is at version %(version)s now "
            "and %(state)s.",
            values={"version": found.version, "state": found.state},
        )
    return found


def _keep_version(
    session: Session,
    publication: Publication,
    *,
    by: str,
    now: datetime,
    withdrawn: bool = False,
    reason: str | None = None,
) -> None:
    session.add(
        PublicationVersion(
            publication_id=publication.id,
            number=publication.version,
            kind=publication.kind,
            said=publication.said,
            says=publication.says,
            note=publication.note,
            thanks=publication.thanks,
            withdrawn=withdrawn,
            reason=reason,
            by=by,
            created_at=now,
        )
    )
