"""The editors' API: the queue, decisions and changes, for holders of a token."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, jsonify, request

from service import snapshots
from service.accounts.principals import Principal, Scope
from service.desk import changes, moves, queue
from service.desk.moves import By, Decision, Seen
from service.errors import NotApplied
from service.web import current, problems
from service.web.auth import SECURITY, needs, principal
from service.web.bodies import Blueprint
from service.web.corrections import (
    AppliedOut,
    ApplyIn,
    ChangesIn,
    CorrectionOut,
    CorrectionsOut,
    FiltersIn,
    IfMatch,
    MoveIn,
    MovesIn,
    OutcomesOut,
)
from service.web.handovers import hand_over

blueprint = Blueprint(
    "corrections", __name__, url_prefix="/api/v1/corrections", description="For editors"
)


def by(who: Principal) -> By:
    """The principal as the history names them."""
    return By(who.label, who.editor_id)


@blueprint.route("", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(FiltersIn, location="query")
@blueprint.response(200, CorrectionsOut)
def list_corrections(query: dict[str, Any]) -> Response:
    """The queue, filtered, sorted and paged."""
    with current.database().read() as session:
        page = queue.page(session, principal().site_id, **query)
        items = snapshots.of_corrections(session, page.ids)
    made = jsonify(items=items, next=page.next)
    if page.next:
        asked = {**request.args.to_dict(), "cursor": page.next}
        made.headers["Link"] = f'<{request.path}?{urlencode(asked)}>; rel="next"'
    return made


@blueprint.route("/<uuid:correction_id>", methods=["GET"])
@needs(Scope.READ)
@blueprint.doc(security=SECURITY)
@blueprint.response(200, CorrectionOut)
def get_correction(correction_id: UUID) -> Response:
    """One correction; its ETag is its version."""
    with current.database().read() as session:
        changes.find(session, principal().site_id, correction_id)
        [item] = snapshots.of_corrections(session, [correction_id])
    made = _tagged(item)
    made.make_conditional(request)
    return made


@blueprint.route("/<uuid:correction_id>", methods=["PATCH"])
@needs(Scope.REVIEW)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(ChangesIn)
@blueprint.arguments(IfMatch, location="headers")
@blueprint.response(200, CorrectionOut)
def change_correction(
    wanted: dict[str, Any], versions: frozenset[int] | None, correction_id: UUID
) -> Response:
    """Change what is not the state."""
    with current.database().write() as session:
        changes.change(
            session,
            principal().site_id,
            correction_id,
            wanted,
            by=by(principal()),
            now=current.now(),
            versions=versions,
        )
        [item] = snapshots.of_corrections(session, [correction_id])
    current.parts().on_event()
    return _tagged(item)


@blueprint.route("/<uuid:correction_id>/moves", methods=["POST"])
@needs(Scope.REVIEW)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(MoveIn)
@blueprint.arguments(IfMatch, location="headers")
@blueprint.response(200, CorrectionOut)
def move_correction(
    decision: Decision, versions: frozenset[int] | None, correction_id: UUID
) -> Response:
    """Accept, fix, reject, call it spam, or reopen."""
    with current.database().write() as session:
        moves.decide(
            session,
            principal().site_id,
            correction_id,
            decision,
            by=by(principal()),
            now=current.now(),
            seen=Seen(versions=versions),
        )
        [item] = snapshots.of_corrections(session, [correction_id])
    current.parts().on_event()
    return _tagged(item)


@blueprint.route("/<uuid:correction_id>/apply", methods=["POST"])
@needs(Scope.REVIEW)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(ApplyIn)
@blueprint.arguments(IfMatch, location="headers")
@blueprint.response(200, AppliedOut)
def apply_correction(
    decision: Decision, versions: frozenset[int] | None, correction_id: UUID
) -> Response:
    """Accept it and have the site's content system apply it; 502 where that gives no verdict."""
    who = principal()
    reply = hand_over(who, correction_id, decision, lambda *_: Seen(versions))
    if reply.verdict is None:
        raise NotApplied(
            "The correction stays accepted, and can be sent again: %(why)s.",
            values={"why": reply.detail},
        )
    with current.database().read() as session:
        [item] = snapshots.of_corrections(session, [correction_id])
    made = jsonify(result=reply.verdict, detail=reply.detail, correction=item)
    made.set_etag(str(item["version"]))
    return made


@blueprint.route("/moves", methods=["POST"])
@needs(Scope.REVIEW)
@blueprint.doc(security=SECURITY)
@blueprint.arguments(MovesIn)
@blueprint.response(200, OutcomesOut)
def move_corrections(wanted: dict[str, Any]) -> Response:
    """Move many at once; each stands for itself."""
    with current.database().write() as session:
        outcomes = moves.decide_each(
            session,
            principal().site_id,
            wanted["ids"],
            Decision(wanted["to"], wanted["reason"]),
            by=by(principal()),
            now=current.now(),
        )
    current.parts().on_event()
    return jsonify(
        outcomes=[
            {
                "id": outcome.id,
                "status": outcome.refusal.status if outcome.refusal else 200,
                "problem": problems.body_of(outcome.refusal) if outcome.refusal else None,
            }
            for outcome in outcomes
        ]
    )


def _tagged(item: dict[str, Any]) -> Response:
    made = jsonify(item)
    made.set_etag(str(item["version"]))
    return made
