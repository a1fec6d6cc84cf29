"""Sites: one publication each, with a public key and the origins that may report."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import addresses
from service.errors import NotFound, invalid
from service.models import Site

CHANGEABLE = frozenset(
    {
        "name",
        "origins",
        "language",
        "article_selector",
        "excerpt_limit",
        "privacy_url",
        "contact_url",
    }
)


def create(session: Session, name: str, origins: Sequence[str], *, now: datetime) -> Site:
    """Make a site; its key is made of its name. Raises InvalidFields."""
    name = name.strip()
    if not name or len(name) > 200:
        raise invalid("/name", "A site needs a name of 1 to 200 characters.")
    site = Site(
        key=_free_key(session, name), name=name, origins=checked_origins(origins), created_at=now
    )
    session.add(site)
    session.flush()
    return site


def find(session: Session, key: str) -> Site:
    """The site with this key; raises NotFound."""
    site = session.scalar(select(Site).where(Site.key == key))
    if site is None:
        raise NotFound("There is no site with this key.")
    return site


def every(session: Session) -> Sequence[Site]:
    """All sites by name."""
    return session.scalars(select(Site).order_by(Site.name, Site.id)).all()


def change(site: Site, **values: object) -> None:
    """Set some of the site's settings; raises InvalidFields."""
    for field, value in values.items():
        if field not in CHANGEABLE:
            raise invalid(f"/{field}", "There is no such setting.")
        setattr(site, field, _checked(field, value))


def _checked(field: str, value: object) -> object:
    match field, value:
        case "origins", list():
            return checked_origins(value)
        case "excerpt_limit", int() if not 1 <= value <= 500:
            raise invalid("/excerpt_limit", "Excerpts may have 1 to 500 characters.")
        case "privacy_url" | "contact_url", str() if value and not addresses.is_safe(value):
            raise invalid(f"/{field}", "This is not an http or https address.")
        case _, "":
            return None
    return value


def checked_origins(origins: Sequence[str]) -> list[str]:
    """The origins, normalised, each once; raises InvalidFields."""
    if not origins:
        raise invalid("/origins", "A site needs at least one origin, as in https://news.example.")
    found: dict[str, None] = {}
    for place, text in enumerate(origins):
        try:
            found[addresses.origin(text)] = None
        except addresses.BadAddress as error:
            raise invalid(f"/origins/{place}", f"{text!r}: {error}.") from None
    return list(found)


def _free_key(session: Session, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-") or "site"
    taken = set(session.scalars(select(Site.key).where(Site.key.startswith(slug))))
    return slug if slug not in taken else f"{slug}-{secrets.token_hex(3)}"
