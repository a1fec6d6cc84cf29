"""What frames every page of the settings: their list, and who may see which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import redirect, render_template, request
from flask_babel import LazyString, lazy_gettext
from sqlalchemy.orm import Session

from service import audits
from service.accounts.principals import Principal, Scope
from service.errors import StaleVersion
from service.models import Audit, Channel, Webhook
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint, frame
from service.web.pages.settings import words


@dataclass(frozen=True, slots=True)
class Section:
    """One page of the settings, for those with its scope."""

    title: LazyString
    name: str
    """The last part of its address, `/review/settings/NAME`."""
    scope: Scope = Scope.ADMIN


SECTIONS = [
    Section(lazy_gettext("Site"), "site"),
    Section(lazy_gettext("Editors"), "editors"),
    Section(lazy_gettext("Tokens"), "tokens"),
    Section(lazy_gettext("Channels"), "channels"),
    Section(lazy_gettext("Webhooks"), "webhooks"),
    Section(lazy_gettext("Support asks"), "support", Scope.PUBLISH),
    Section(lazy_gettext("Readers’ data"), "readers"),
    Section(lazy_gettext("Audit log"), "audit"),
    Section(lazy_gettext("My account"), "account", Scope.READ),
]


def show(
    session: Session, who: Principal, section: str, *, template: str = "", **values: Any
) -> str:
    """A page of a section, from the template `settings/SECTION.html` or another one there."""
    return render_template(
        f"settings/{template or section}.html",
        **frame(session, who),
        sections=[each for each in SECTIONS if each.scope in who.scopes],
        section=section,
        known=words,
        **{"errors": {}, "saved": request.args.get("saved"), **values},
    )


def check_seen(outlet: Webhook | Channel) -> None:
    """Raise StaleVersion where somebody changed it after the form was made that is sent here."""
    if request.form.get("seen", outlet.updated_at.isoformat()) != outlet.updated_at.isoformat():
        raise StaleVersion("Somebody changed this in the meantime.")


def changes_since_seen(session: Session, outlet: Webhook | Channel, name: str) -> Sequence[Audit]:
    """What was done to it after the form was made that is sent here; `name` as the log has it."""
    try:
        at = datetime.fromisoformat(request.form.get("seen", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return []
    return audits.since(session, outlet.site_id, type(outlet).__name__.lower(), name, at)


def back(section: str, saved: str) -> Answer:
    """To the page of a section, which says what was done."""
    return redirect(f"/review/settings/{section}?saved={saved}", 303)


@blueprint.get("/review/settings")
@signed_in(Scope.READ)
def settings(who: Principal) -> Answer:
    """Lead to the first page that there is for this editor."""
    first = next(each for each in SECTIONS if each.scope in who.scopes)
    return redirect(f"/review/settings/{first.name}", 303)
