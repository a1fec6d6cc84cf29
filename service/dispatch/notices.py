"""What the admins of a site are told by mail: a webhook or channel of theirs was disabled."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import letters
from service.dispatch import notes
from service.dispatch.parcels import Outlet
from service.models import Channel, Editor, Membership, Role, Site


def tell_admins(
    session: Session, outlet: Outlet, reason: str, *, public_url: str, now: datetime
) -> None:
    """Enqueue a letter to each admin of the outlet's site."""
    site = session.get_one(Site, outlet.site_id)
    words = notes.words_of(site.language)
    page = "channels" if isinstance(outlet, Channel) else "webhooks"
    name = notes.one_line(outlet.name if isinstance(outlet, Channel) else outlet.url, 200)
    said = {
        "subject": words.gettext("%(site)s: nothing is sent to %(name)s any more")
        % {"site": notes.one_line(site.name, 60), "name": name[:80]},
        "text": words.gettext(
            "%(name)s was disabled. The reason: %(reason)s\n\n"
            "What waited for it has failed. When it works again, enable it here and, for a "
            "webhook, send again what has failed:\n%(url)s\n"
        )
        % {
            "name": name,
            "reason": reason,
            "url": f"{public_url}/review/settings/{page}/{outlet.id}",
        },
    }
    admins = session.scalars(
        select(Editor.email)
        .join(Membership, Membership.editor_id == Editor.id)
        .where(
            Membership.site_id == site.id,
            Membership.role == Role.ADMIN,
            Editor.disabled_at.is_(None),
        )
        .order_by(Editor.email)
    ).all()
    for email in admins:
        letters.enqueue(
            session, site.id, letters.NOTICE, email, said, subject_id=outlet.id, now=now
        )
