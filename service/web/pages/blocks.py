"""Networks that are kept out for some days, and let in again."""

from uuid import UUID

from flask import redirect, request
from sqlalchemy.orm import Session

from service.accounts.principals import Principal, Scope
from service.intake import blocks
from service.models import Correction
from service.web import current, forms
from service.web.cookies import Answer, signed_in
from service.web.pages.correction import answered, chosen
from service.web.pages.frame import blueprint


@blueprint.post("/review/<uuid:correction_id>/blocks")
@signed_in(Scope.REVIEW)
def block_networks(who: Principal, correction_id: UUID) -> Answer:
    """Block the networks that the chosen reports came from."""

    def act(session: Session, _: Correction) -> None:
        blocks.block(
            session,
            who.site_id,
            correction_id,
            chosen(),
            forms.number(request.form.get("days", "")) or 0,
            by=who.label,
            now=current.now(),
        )

    return answered(who, correction_id, act)


@blueprint.post("/review/blocks/<uuid:block_id>/lift")
@signed_in(Scope.REVIEW)
def lift_block(who: Principal, block_id: UUID) -> Answer:
    """Take reports from a network again."""
    with current.database().write() as session:
        blocks.lift(session, who.site_id, block_id, by=who.label, now=current.now())
    return redirect(forms.place(request.form.get("next")), 303)
