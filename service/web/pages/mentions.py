"""The notes that name the one who asks."""

from uuid import UUID

from flask import redirect, render_template

from service.accounts.principals import Principal, Scope
from service.desk import notes
from service.errors import NotFound
from service.web import current
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint, frame


def _editor(who: Principal) -> UUID:
    if who.editor_id is None:
        raise NotFound("Only editors are named in notes.")
    return who.editor_id


@blueprint.get("/review/mentions")
@signed_in(Scope.READ)
def mentions(who: Principal) -> Answer:
    """Notes that name the signed-in editor, those not yet ticked off first."""
    with current.database().read() as session:
        found = notes.mentions(session, who.site_id, _editor(who))
        return render_template("mentions.html", **frame(session, who), mentions=found)


@blueprint.post("/review/mentions/<uuid:note_id>")
@signed_in(Scope.REVIEW)
def tick_off(who: Principal, note_id: UUID) -> Answer:
    """Say that a mention was seen."""
    with current.database().write() as session:
        notes.tick_off(session, who.site_id, _editor(who), note_id, now=current.now())
    return redirect("/review/mentions", 303)
