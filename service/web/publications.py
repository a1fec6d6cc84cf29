"""Publishing over HTTP, for holders of a token: one entry of the record for one correction."""

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields

from service import snapshots
from service.accounts.principals import Scope
from service.models import Kind
from service.record import publications
from service.record.publications import Entry
from service.web import current
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import Blueprint
from service.web.corrections import CorrectionOut, IfMatch
from service.web.schemas import Text

blueprint = Blueprint(
    "publications", __name__, url_prefix="/api/v1/corrections", description="For the record"
)


class EntryIn(ma.Schema):
    """What the record is to say."""

    kind = fields.Enum(Kind, by_value=True, required=True)
    said = Text(2000, load_default=None, allow_none=True)
    says = Text(
        2000,
        load_default=None,
        allow_none=True,
        metadata={"description": "An empty text: the words were taken out."},
    )
    note = Text(2000, load_default=None, allow_none=True)
    thanks = Text(
        200,
        load_default=None,
        allow_none=True,
        metadata={"description": "Whom to thank; a name only where that reader agreed."},
    )

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Entry:
        texts = {name: data[name] and data[name].strip() for name in ("said", "note", "thanks")}
        told = {name: text or None for name, text in texts.items()}
        says = data["says"] if data["says"] is None else data["says"].strip()
        return Entry(kind=data["kind"], says=says, **told)


class WithdrawalIn(ma.Schema):
    """Why an entry goes."""

    reason = Text(500, load_default=None, metadata={"description": "The public reads it."})


@blueprint.route("/<uuid:correction_id>/publication", methods=["PUT"])
@needs(Scope.PUBLISH)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(EntryIn)
@blueprint.arguments(IfMatch, location="headers")
@blueprint.response(200, CorrectionOut)
def put_publication(entry: Entry, versions: frozenset[int] | None, correction_id: UUID) -> Response:
    """Publish at once, or change what is published; answers the correction."""
    with current.database().write() as session:
        publications.publish(
            session,
            principal().site_id,
            correction_id,
            entry,
            by=principal().label,
            now=current.now(),
            versions=versions,
        )
        [item] = snapshots.of_corrections(session, [correction_id])
    current.parts().on_event()
    made = jsonify(item)
    made.set_etag(str(item["version"]))
    return made


@blueprint.route("/<uuid:correction_id>/publication", methods=["DELETE"])
@needs(Scope.PUBLISH)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(WithdrawalIn, location="query")
@blueprint.arguments(IfMatch, location="headers")
@blueprint.response(204)
def delete_publication(
    query: dict[str, Any], versions: frozenset[int] | None, correction_id: UUID
) -> Response:
    """Withdraw the entry; the record goes on saying that there was one."""
    with current.database().write() as session:
        publications.withdraw(
            session,
            principal().site_id,
            correction_id,
            by=principal().label,
            now=current.now(),
            reason=query["reason"] or None,
            versions=versions,
        )
    return Response(status=204)
