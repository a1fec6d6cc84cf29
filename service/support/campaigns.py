"""Campaigns: kept whole, checked whole, and shown only while they run."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from service import audits
from service.errors import FieldError, InvalidFields, NotFound, StaleVersion
from service.models import Campaign, Place, Site
from service.support import checks

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
RESERVED = frozenset({"new"})
"""The desk's address of the form for a new one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as somebody wants it; the fields are those of the table."""

    name: str
    variants: list[dict[str, Any]]
    enabled: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    places: list[str] = field(default_factory=lambda: [Place.BLOCK, Place.THANKS])
    sections: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    after_articles: int = 0
    max_views: int = 0
    period_days: int = 30
    quiet_days: int = 30
    image_url: str | None = None
    link_parameters: str = ""


def free_key(session: Session, site_id: UUID, name: str) -> str:
    """A key made of the name that no campaign of the site has."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-") or "campaign"
    taken = {campaign.key for campaign in of_site(session, site_id)} | RESERVED
    numbered = (f"{slug}-{number}" for number in count(2))
    return slug if slug not in taken else next(key for key in numbered if key not in taken)


def of_site(session: Session, site_id: UUID) -> Sequence[Campaign]:
    """The site's campaigns, the newest first."""
    return session.scalars(
        select(Campaign).where(Campaign.site_id == site_id).order_by(Campaign.id.desc())
    ).all()


def find(session: Session, site_id: UUID, key: str) -> Campaign:
    """A campaign of the site; raises NotFound."""
    found = session.scalar(select(Campaign).where(Campaign.site_id == site_id, Campaign.key == key))
    if found is None:
        raise NotFound("There is no such campaign.")
    return found


def put(
    session: Session,
    site_id: UUID,
    key: str,
    draft: Draft,
    *,
    by: str,
    now: datetime,
    versions: frozenset[int] | None = None,
) -> Campaign:
    """Make the campaign or put another in its place; `versions` are those the editor has seen.

    Raises InvalidFields with every fault there is (two that run at once count as one), and
    StaleVersion where somebody else has changed or made it.
    """
    # One at a time for the site: of two campaigns that overlap, the second must see the first.
    site = session.scalars(select(Site).where(Site.id == site_id).with_for_update()).one()
    faults = _key_faults(key) + checks.faults(draft, site.language)
    faults += _overlaps(session, site_id, key, draft)
    if faults:
        raise InvalidFields(errors=faults)
    known = session.scalar(select(Campaign).where(Campaign.site_id == site_id, Campaign.key == key))
    if versions is not None and (known.version if known else 0) not in versions:
        raise StaleVersion("Somebody changed this campaign in the meantime; nothing was kept.")
    if known is None:
        known = Campaign(site_id=site_id, key=key, created_at=now, updated_at=now, **asdict(draft))
        session.add(known)
        session.flush()
        audits.note(session, site_id, "campaign.made", key, by=by, now=now, after=_told(known))
        return known
    was, had = _told(known), known.variants
    session.execute(
        update(Campaign)
        .where(Campaign.id == known.id)
        .values(**asdict(draft), version=Campaign.version + 1, updated_at=now)
    )
    session.refresh(known)
    audits.note_change(
        session, site_id, "campaign.changed", key, by=by, now=now, before=was, after=_told(known),
        masked={"variants"} if had != known.variants else frozenset(),
    )  # fmt: skip
    return known


def _told(campaign: Campaign) -> dict[str, Any]:
    """The fields as the audit log keeps them; of variants their keys, not all their texts."""
    fields = {name: getattr(campaign, name) for name in Draft.__dataclass_fields__}
    told = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
    }
    return {**told, "variants": [variant["key"] for variant in campaign.variants]}


def remove(session: Session, site_id: UUID, key: str, *, by: str, now: datetime) -> None:
    """Remove a campaign and what was counted for it; raises NotFound."""
    gone = session.scalar(
        delete(Campaign)
        .where(Campaign.site_id == site_id, Campaign.key == key)
        .returning(Campaign.id)
    )
    if gone is None:
        raise NotFound("There is no such campaign.")
    audits.note(session, site_id, "campaign.removed", key, by=by, now=now)


def running(
    session: Session, site_id: UUID, *, now: datetime, ahead: timedelta = timedelta()
) -> Sequence[Campaign]:
    """The campaigns that may be shown at this moment or `ahead` of it, the oldest first."""
    return session.scalars(
        select(Campaign)
        .where(
            Campaign.site_id == site_id,
            Campaign.enabled,
            or_(Campaign.starts_at.is_(None), Campaign.starts_at <= now + ahead),
            or_(Campaign.ends_at.is_(None), Campaign.ends_at > now),
        )
        .order_by(Campaign.id)
    ).all()


def _key_faults(key: str) -> list[FieldError]:
    if KEY.fullmatch(key) and key not in RESERVED:
        return []
    return [checks.fault("/key", "1 to 40 of a to z, 0 to 9 and -, not beginning with -.")]


def _overlaps(session: Session, site_id: UUID, key: str, draft: Draft) -> list[FieldError]:
    """A fault for each other campaign that would want the same place at the same time."""
    if not draft.enabled:
        return []
    others = session.scalars(
        select(Campaign).where(Campaign.site_id == site_id, Campaign.key != key, Campaign.enabled)
    )
    return [
        {
            "pointer": "/places",
            "detail": f"The campaign {other.name!r} wants the same place at the same time.",
        }
        for other in others
        if _meet(draft, other)
    ]


def _meet(draft: Draft, other: Campaign) -> bool:
    return (
        bool(set(draft.places) & set(other.places))
        and (draft.starts_at is None or other.ends_at is None or draft.starts_at < other.ends_at)
        and (other.starts_at is None or draft.ends_at is None or other.starts_at < draft.ends_at)
        and all(
            not mine or not theirs or set(mine) & set(theirs)
            for mine, theirs in ((draft.sections, other.sections), (draft.tags, other.tags))
        )
        and (
            not draft.languages
            or not other.languages
            or any(_is_same(a, b) for a in draft.languages for b in other.languages)
        )
    )


def _is_same(one: str, other: str) -> bool:
    """Whether one reader may be served in both languages: `en` is for those of `en-GB` too."""
    shorter, longer = sorted((f"{one}-".lower(), f"{other}-".lower()), key=len)
    return longer.startswith(shorter)
