"""What the record says of a correction: previewed, published, changed, withdrawn at the desk."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import request
from sqlalchemy.orm import Session

from service.accounts.principals import Principal, Scope
from service.errors import StaleVersion
from service.models import Correction
from service.record import publications
from service.record.publications import Entry
from service.web import current, forms
from service.web.cookies import Answer, signed_in
from service.web.pages import correction
from service.web.pages.frame import blueprint
from service.web.publications import EntryIn, WithdrawalIn
from service.web.schemas import Text


class EntryForm(EntryIn):
    """An entry as the form has it: a ticked box says that the words were taken out."""

    # The page has another field of this name, for the other editors.
    note = Text(2000, load_default=None, allow_none=True, data_key="entry_note")

    @ma.pre_load
    def _taken_out(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "says": ""} if data.get("removed") else data


class WithdrawalForm(WithdrawalIn):
    """Why an entry goes, as the form has it."""

    reason = Text(500, load_default=None, allow_none=True, data_key="withdrawal_reason")


@blueprint.post("/review/<uuid:correction_id>/publication")
@signed_in(Scope.PUBLISH)
def publish(who: Principal, correction_id: UUID) -> Answer:
    """Put the entry on the record when the hold is over, or only show how it would look."""
    try:
        entry: Entry = forms.read(EntryForm())
        entry.check()
    except correction.ANSWERED as refusal:
        return correction.page(who, correction_id, refusal)
    if "preview" in request.form:
        return correction.page(who, correction_id, preview=entry)

    def act(session: Session, found: Correction) -> None:
        now = current.now()
        publications.publish(
            session,
            who.site_id,
            correction_id,
            entry,
            by=who.label,
            now=now,
            visible_at=now + timedelta(seconds=current.settings().hold_seconds),
            versions=_seen(session, found),
        )

    return correction.answered(who, correction_id, act)


@blueprint.post("/review/<uuid:correction_id>/publication/withdraw")
@signed_in(Scope.PUBLISH)
def withdraw(who: Principal, correction_id: UUID) -> Answer:
    """Take the entry back; what nobody could see yet leaves no trace in public."""

    def act(session: Session, found: Correction) -> None:
        publications.withdraw(
            session,
            who.site_id,
            correction_id,
            by=who.label,
            now=current.now(),
            reason=forms.read(WithdrawalForm())["reason"],
            versions=_seen(session, found),
        )

    return correction.answered(who, correction_id, act)


def _seen(session: Session, found: Correction) -> frozenset[int] | None:
    """The versions that the form's sender knows; raises StaleVersion where the entry is newer."""
    entry = publications.of_correction(session, found.id)
    version = str(entry.version if entry else 0)
    if request.form.get("entry_version", version) != version:
        raise StaleVersion("Somebody published, changed or withdrew this entry in the meantime.")
    return correction.seen(session, found).versions
