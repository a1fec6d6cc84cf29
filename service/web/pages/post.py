"""What the pages send by mail: links that work once."""

from uuid import UUID

from flask_babel import gettext
from sqlalchemy.orm import Session

from service import letters
from service.web import current


def invite(session: Session, site_id: UUID, site_name: str, email: str, url: str) -> None:
    """Send an invitation's link, where there is a mail server."""
    _send(
        session,
        site_id,
        email,
        gettext("You are invited to the corrections of %(site)s", site=site_name),
        f"{gettext('Open this link within seven days to join:')}\n\n{url}\n",
    )


def reset(session: Session, site_id: UUID, email: str, url: str) -> None:
    """Send the link to a new password, where there is a mail server."""
    text = gettext(
        "Somebody asked for a new password for this address. If it was you, open this link "
        "within an hour; else nothing has to be done:"
    )
    _send(session, site_id, email, gettext("A new password for Corrigenda"), f"{text}\n\n{url}\n")


def _send(session: Session, site_id: UUID, to: str, subject: str, text: str) -> None:
    if current.settings().smtp_url:
        data = {"subject": " ".join(subject.split()), "text": text}
        letters.enqueue(session, site_id, letters.NOTICE, to, data, now=current.now())


def link(path: str) -> str:
    """The whole address of one of our pages."""
    return current.settings().public_url + path
