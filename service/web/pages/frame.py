"""What the pages share: their blueprint, and what frames every page of the desk."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint
from flask_babel import LazyString, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.accounts import sites
from service.accounts.principals import Principal
from service.desk import notes
from service.models import Editor, Membership, Site

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the desk, as its navigation names it."""

    title: LazyString
    path: str


PLACES = [
    Place(lazy_gettext("Review"), "/review"),
    Place(lazy_gettext("Articles"), "/review/articles"),
    Place(lazy_gettext("Statistics"), "/review/stats"),
    Place(lazy_gettext("Settings"), "/review/settings"),
    Place(lazy_gettext("API"), "/docs"),
]


def frame(session: Session, who: Principal) -> dict[str, Any]:
    """What the desk's layout shows: who is signed in, to which site, and where they may go."""
    return {
        "who": who,
        "site": session.get_one(Site, who.site_id),
        "sites": sites.of_editor(session, who.editor_id) if who.editor_id else [],
        "places": PLACES,
        "unseen": notes.unseen(session, who.site_id, who.editor_id) if who.editor_id else 0,
    }


def editors_of(session: Session, site_id: UUID) -> list[str]:
    """The addresses of those who may be given a correction of the site."""
    return list(
        session.scalars(
            select(Editor.email)
            .join(Membership, Membership.editor_id == Editor.id)
            .where(Membership.site_id == site_id, Editor.disabled_at.is_(None))
            .order_by(Editor.email)
        )
    )
