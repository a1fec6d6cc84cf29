"""Accept and apply: a correction is handed to the site's content system while somebody waits."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from service.accounts.principals import Principal
from service.desk import changes, handovers
from service.desk.moves import By, Decision, Seen
from service.dispatch import applying
from service.dispatch.applying import Reply
from service.dispatch.parcels import Carriers
from service.models import Correction, State
from service.web import current, outward


def hand_over(
    who: Principal,
    correction_id: UUID,
    decision: Decision,
    seen: Callable[[Session, Correction], Seen],
) -> Reply:
    """Accept it, ask the content system to apply it, and keep what that said.

    Each of the two writes is a transaction of its own, with none open while the answer is waited
    for: a process that ends in between leaves an accepted correction that can be handed over again
    under the same id. Raises Disabled, NotFound, StaleVersion, NotAllowedMove, InvalidFields,
    StillBeingWritten, Unavailable.
    """
    with outward.carriers() as carriers:
        return _hand_over(who, correction_id, decision, seen, carriers)


def _hand_over(
    who: Principal,
    correction_id: UUID,
    decision: Decision,
    seen: Callable[[Session, Correction], Seen],
    carriers: Carriers,
) -> Reply:
    by, now = By(who.label, who.editor_id), current.now()
    with current.database().write() as session:
        found = changes.find(session, who.site_id, correction_id)
        # One reason, kept with one move: that which comes first.
        reason = None if found.state is State.NEW else decision.reason
        correction = handovers.prepare(
            session, who.site_id, correction_id, decision, by=by, now=now, seen=seen(session, found)
        )
        task = applying.begin(session, correction, now)
    current.parts().on_event()
    result = applying.send(task, carriers)
    reply = applying.reply_of(result)
    with current.database().write() as session:
        applying.record(session, result, reply, current.now())
        handovers.settle(
            session,
            who.site_id,
            correction_id,
            reply.verdict or handovers.UNANSWERED,
            reply.detail,
            is_applied=reply.is_applied,
            by=by,
            now=current.now(),
            reason=reason,
        )
    current.parts().on_event()
    return reply
