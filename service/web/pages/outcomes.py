"""Doing something with rows of the queue, and saying what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import jsonify, redirect, request
from flask_babel import gettext
from marshmallow import fields
from sqlalchemy.orm import Session

from service import snapshots
from service.accounts.principals import Principal, Scope
from service.desk import acts, queue, tallies, timeline
from service.desk.acts import Act, Outcome, Wanted
from service.errors import InvalidFields
from service.web import current, words
from service.web.bodies import refusal_of
from service.web.cookies import Answer, signed_in
from service.web.corrections import MOST
from service.web.editors import by
from service.web.pages import views
from service.web.pages.frame import blueprint
from service.web.schemas import Text

QUOTED = 60
"""So many characters of a passage tell which one it was."""


class ActIn(ma.Schema):
    """What a button of the queue sends besides the rows."""

    act = fields.Enum(Act, by_value=True, required=True)
    reason = Text(2000, load_default=None, allow_none=True)
    wording = Text(1000, load_default=None, allow_none=True)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Wanted:
        return Wanted(**data)


@blueprint.post("/review/moves")
@signed_in(Scope.REVIEW)
def act(who: Principal) -> Answer:
    """Do one thing with one row or with many; each has its own outcome."""
    view = views.asked()
    names, wanted = _wanted()
    with current.database().write() as session:
        before = tallies.of_site(session, who.site_id).changes
        made = acts.each(session, who.site_id, names, wanted, by=by(who), now=current.now())
        session.flush()
        after = tallies.of_site(session, who.site_id).changes
    current.parts().on_event()
    if request.accept_mimetypes.best != "application/json":
        return redirect(_address(wanted.act, made), 303)
    with current.database().read() as session:
        counts = views.counts(session, who.site_id, view)
    return jsonify(
        outcomes=[_told(each) for each in made],
        said=said(wanted.act, sum(each.now is not None for each in made)),
        since=before,
        changes=after,
        counts=counts,
    )


def _wanted() -> tuple[list[str], Wanted]:
    """The rows and what to do; a row's own button says both: `ACT KEY REASON`."""
    sent: dict[str, str | None] = {}
    names = request.form.getlist("ids")
    for name in ("act", "reason", "wording"):
        if name in request.form:
            sent[name] = request.form[name].strip().replace("\r\n", "\n")
    if "one" in request.form:
        sent["act"], key, reason = [*request.form["one"].split(" ", 2), "", ""][:3]
        names = [key]
        sent["reason"] = reason or request.form.get(f"own-{key.partition('.')[0]}", "").strip()
    if not 1 <= len(names) <= MOST:
        raise InvalidFields(gettext("Choose at least one, and at most %(most)s.", most=MOST))
    sent["reason"] = sent.get("reason") or None
    try:
        wanted: Wanted = ActIn().load(sent)
    except ma.ValidationError as error:
        raise refusal_of(error.normalized_messages()) from None  # type: ignore[no-untyped-call]
    return names, wanted


def said(done: Act, number: int) -> str:
    """One line about what was done with so many."""
    verb = str(words.DONE[done])
    return verb if number == 1 else f"{verb}: {number}"


def _told(outcome: Outcome) -> dict[str, str | None]:
    problem = _problem(outcome) if outcome.now is None else None
    return {"id": outcome.id, "key": outcome.key, "problem": problem}


def _problem(outcome: Outcome) -> str:
    """Why it was refused: where somebody was first, who that was and what they did."""
    if outcome.first:
        return f"{gettext('Somebody was first.')} {told(outcome.first)}"
    return words.refused(outcome.refusal) if outcome.refusal else ""


def told(entry: timeline.Entry) -> str:
    """Who did what, and when."""
    when = words.age(entry.at, current.now())
    return str(
        gettext("%(what)s by %(who)s, %(when)s", what=words.deed(entry), who=entry.by, when=when)
    )


def _address(done: Act, made: Sequence[Outcome]) -> str:
    """The view again, and in its address what became of each."""
    good = [each.key for each in made if each.key]
    bad = [each.id for each in made if each.now is None]
    cursor = request.args.get("cursor")
    return views.at(cursor=cursor, did=done, done=",".join(good), failed=",".join(bad))


@dataclass(frozen=True, slots=True)
class Done:
    """What was just done, for the lines that tell it and offer to undo it."""

    said: str
    keys: list[str]
    items: list[dict[str, Any]]
    failed: list[tuple[dict[str, Any], str]]
    can_undo: bool


def of_address(session: Session, site_id: UUID) -> Done | None:
    """What the address says was just done on the site; None where that is nothing."""
    keys = request.args.get("done", "").split(",")[:MOST]
    good = queue.of_site(session, site_id, acts.ids(keys))
    bad = queue.of_site(session, site_id, acts.ids(request.args.get("failed", "").split(",")))
    if not good and not bad:
        return None
    items = snapshots.of_corrections(session, good, reports=1)
    did = request.args.get("did", "")
    act = Act(did) if did in set(Act) else Act(items[0]["state"]) if items else Act.UNDO
    return Done(
        said(act, len(good)),
        [key for key in keys if acts.ids([key]) and acts.ids([key])[0] in good],
        items,
        [
            (item, last(session, UUID(item["id"])))
            for item in snapshots.of_corrections(session, bad[:MOST], reports=1)
        ],
        act in acts.MOVES,
    )


def last(session: Session, correction_id: UUID) -> str:
    """The last line of its timeline; empty where nobody did anything yet."""
    entries = timeline.entries(session, correction_id)
    return told(entries[-1]) if entries else ""
