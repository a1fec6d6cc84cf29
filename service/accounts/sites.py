"""Sites: one publication each, with a public key and the origins that may report."""

import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import audits
from service.accounts import site_settings
from service.errors import NotFound, StaleVersion
from service.models import Audit, Membership, Site

CHANGED = "site.changed"


def create(
    session: Session,
    name: str,
    origins: Sequence[str],
    *,
    now: datetime,
    by: str = audits.COMMAND_LINE,
) -> Site:
    """Make a site; its key is made of its name. Raises InvalidFields."""
    kept = site_settings.checked({"name": name, "origins": origins})
    site = Site(key=_free_key(session, kept["name"]), created_at=now, **kept)
    session.add(site)
    session.flush()
    after = {"name": site.name, "origins": site.origins}
    audits.note(session, site.id, "site.made", site.key, by=by, now=now, after=after)
    return site


def find(session: Session, key: str) -> Site:
    """The site with this key; raises NotFound."""
    # PostgreSQL refuses NUL.
    site = session.scalar(select(Site).where(Site.key == key)) if "\0" not in key else None
    if site is None:
        raise NotFound("There is no site with this key.")
    return site


def every(session: Session) -> Sequence[Site]:
    """All sites by name."""
    return session.scalars(select(Site).order_by(Site.name, Site.id)).all()


def of_editor(session: Session, editor_id: UUID) -> Sequence[Site]:
    """The sites an editor belongs to, by name."""
    return session.scalars(
        select(Site)
        .join(Membership, Membership.site_id == Site.id)
        .where(Membership.editor_id == editor_id)
        .order_by(Site.name, Site.id)
    ).all()


def change(site: Site, **values: object) -> None:
    """Set some of the site's settings; raises InvalidFields."""
    for field, value in site_settings.checked(values).items():
        setattr(site, field, value)


def save(
    session: Session,
    site: Site,
    values: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    version: int | None = None,
) -> None:
    """Set some of the site's settings and note what changed.

    Raises InvalidFields, and StaleVersion where `version` is no longer the newest.
    """
    kept = site_settings.checked(values)
    before = {field: getattr(site, field) for field in kept}
    changed = {field: value for field, value in kept.items() if value != before[field]}
    if not changed:
        return
    saved = session.scalar(
        update(Site)
        .where(Site.id == site.id, Site.version == (version or Site.version))
        .values(**changed, version=Site.version + 1)
        .returning(Site.id)
    )
    if saved is None:
        raise StaleVersion("Somebody changed these settings in the meantime.")
    old = {field: before[field] for field in changed}
    audits.note(session, site.id, CHANGED, site.key, by=by, now=now, before=old, after=changed)


def changes_since(session: Session, site: Site, version: int) -> Sequence[Audit]:
    """What was changed after a version of the settings, the newest first."""
    return session.scalars(
        select(Audit)
        .where(Audit.site_id == site.id, Audit.action == CHANGED)
        .order_by(Audit.id.desc())
        .limit(max(0, site.version - version))
    ).all()


def _free_key(session: Session, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-") or "site"
    taken = set(session.scalars(select(Site.key).where(Site.key.startswith(slug))))
    return slug if slug not in taken else f"{slug}-{secrets.token_hex(3)}"
