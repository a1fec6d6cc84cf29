"""One correction: its page, and the forms that decide or change it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from service import catalogues, snapshots
from service.accounts.principals import Principal, Scope
from service.desk import (
    acts,
    changes,
    handovers,
    moves,
    neighbours,
    notes,
    revisions,
    splits,
    timeline,
)
from service.desk.moves import Decision, Seen
from service.dispatch import applying
from service.errors import (
    Disabled,
    InvalidFields,
    NotAllowedMove,
    Refusal,
    StaleVersion,
    StillBeingWritten,
)
from service.intake import blocks
from service.models import Article, Correction, Move, Site, State
from service.record import entries, publications
from service.record.publications import Entry
from service.web import current, forms, passages
from service.web.cookies import Answer, signed_in
from service.web.corrections import ApplyIn, ChangesIn, MoveIn
from service.web.editors import by
from service.web.handovers import hand_over
from service.web.pages.frame import blueprint, editors_of, frame

ANSWERED = (StaleVersion, NotAllowedMove, InvalidFields)
"""Refusals that the page itself tells, with what was typed kept."""


@blueprint.get("/review/<uuid:correction_id>")
@signed_in(Scope.READ)
def correction(who: Principal, correction_id: UUID) -> Answer:
    """One correction with everything there is to know about it."""
    return page(who, correction_id)


def page(
    who: Principal,
    correction_id: UUID,
    refusal: Refusal | None = None,
    *,
    preview: Entry | None = None,
) -> Answer:
    """The page; after a refusal with what happened since the form was made, and what was typed.

    With a preview it shows how this entry would look on the record, and keeps what was typed too.
    """
    with current.database().read() as session:
        found = changes.find(session, who.site_id, correction_id)
        # Before what is shown, or something could be overlooked.
        seen_at = acts.newest(session, [correction_id])[correction_id]
        [item] = snapshots.of_corrections(session, [correction_id])
        newest = revisions.latest(session, found.article_id)
        told = timeline.entries(session, correction_id)
        senders = blocks.senders(session, who.site_id, correction_id, now=current.now())
        made = render_template(
            "correction.html",
            **frame(session, who),
            item=item,
            seen_at=seen_at.isoformat(),
            newest=newest,
            link=passages.link(item, newest.text if newest else None),
            around=passages.current(newest.text, item["anchor"]) if newest else None,
            timeline=told,
            handover=handovers.last_word(told),
            handed=applying.standing(session, correction_id, current.now()),
            can_apply=applying.endpoint(session, who.site_id) is not None,
            neighbours=neighbours.nearest(session, found),
            repeats=neighbours.repeats(session, found),
            senders={str(each.report_id): each.block for each in senders},
            block_days=blocks.DAYS,
            is_split_off=splits.is_split_off(session, correction_id),
            editors=editors_of(session, who.site_id),
            here=forms.place(request.values.get("back") or request.args.get("next")),
            **_publishing(session, found, preview),
            typed=request.form if refusal or preview else {},
            errors=forms.told(refusal) if isinstance(refusal, InvalidFields) else {},
            refusal=refusal,
            since=timeline.entries(session, correction_id, _seen_at()) if refusal else [],
        )
    return make_response(made, refusal.status if refusal else 200)


def _publishing(session: Session, found: Correction, preview: Entry | None) -> dict[str, Any]:
    """What the page tells of the correction's entry on the record."""
    entry = publications.of_correction(session, found.id)
    site = session.get_one(Site, found.site_id)
    article = session.get_one(Article, found.article_id)
    return {
        "steps": publications.versions_of(session, entry) if entry else [],
        "hold_seconds": current.settings().hold_seconds,
        "preview": entries.preview(article, preview, now=current.now()) if preview else None,
        "texts": catalogues.spoken("record", site),
    }


def _seen_at() -> datetime:
    """When the form's page was made, as the page put it down."""
    try:
        return datetime.fromisoformat(request.form.get("seen_at", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return current.now()


def seen(session: Session, found: Correction) -> Seen:
    """What the one who sent the form had seen; new reports alone do not make that old."""
    state = request.form.get("from")
    wanted = State(state) if state in set(State) else None
    version = request.form.get("version", "")
    if not version.isdecimal():
        return Seen(state=wanted)
    since = timeline.entries(session, found.id, _seen_at())
    known = (forms.number(version) or 0) if since else found.version
    return Seen(frozenset({known}), wanted)


@blueprint.post("/review/<uuid:correction_id>/moves")
@signed_in(Scope.REVIEW)
def move(who: Principal, correction_id: UUID) -> Answer:
    """Decide, and go on with the queue; what was decided can be undone there."""

    def act(session: Session, found: Correction) -> str:
        decision: Decision = forms.read(MoveIn())
        moves.decide(
            session,
            who.site_id,
            correction_id,
            decision,
            by=by(who),
            now=current.now(),
            seen=seen(session, found),
        )
        # One form both saves, and stays, and decides, and goes back to the queue.
        place = forms.place(request.form.get("back") or request.form.get("next"))
        return _with_done(place, moves.history(session, correction_id)[-1])

    return answered(who, correction_id, act)


def _with_done(place: str, done: Move) -> str:
    """The place; where it is the queue, with the key by which this very move can be undone."""
    if place.partition("?")[0] != "/review":
        return place
    key = f"{done.correction_id}.{acts.mark(done.created_at)}"
    return f"{place}{'&' if '?' in place else '?'}done={key}"


@blueprint.post("/review/<uuid:correction_id>/apply")
@signed_in(Scope.REVIEW)
def apply(who: Principal, correction_id: UUID) -> Answer:
    """Accept, and have the content system apply it; where it does not, the page says so."""
    try:
        reply = hand_over(who, correction_id, forms.read(ApplyIn()), seen)
    except (*ANSWERED, Disabled, StillBeingWritten) as refusal:
        return page(who, correction_id, refusal)
    if reply.is_applied:
        with current.database().read() as session:
            last = moves.history(session, correction_id)[-1]
        # Somebody else may have moved it while the content system was asked.
        if last.by == who.label:
            return redirect(_with_done(forms.place(request.form.get("back")), last), 303)
    return redirect(f"{forms.place(request.form.get('next'))}#handover", 303)


@blueprint.post("/review/<uuid:correction_id>/changes")
@signed_in(Scope.REVIEW)
def change(who: Principal, correction_id: UUID) -> Answer:
    """Change what is not the state: who has it, its kind, wording and note, what it repeats."""

    def act(session: Session, found: Correction) -> None:
        wanted: dict[str, Any] = forms.read(ChangesIn())
        changes.change(
            session,
            who.site_id,
            correction_id,
            wanted,
            by=by(who),
            now=current.now(),
            versions=seen(session, found).versions,
        )

    return answered(who, correction_id, act)


@blueprint.post("/review/<uuid:correction_id>/notes")
@signed_in(Scope.REVIEW)
def add_note(who: Principal, correction_id: UUID) -> Answer:
    """Leave the other editors a note."""

    def act(session: Session, _: Correction) -> None:
        words = request.form.get("note", "").replace("\r\n", "\n")
        if "\0" in words:
            raise InvalidFields("A note cannot have a NUL character.")
        notes.add(session, who.site_id, correction_id, words, by=by(who), now=current.now())

    return answered(who, correction_id, act)


@blueprint.post("/review/<uuid:correction_id>/split")
@signed_in(Scope.REVIEW)
def split(who: Principal, correction_id: UUID) -> Answer:
    """Take the chosen reports out into a correction of their own."""

    def act(session: Session, found: Correction) -> None:
        splits.split(
            session,
            who.site_id,
            correction_id,
            chosen(),
            by=by(who),
            now=current.now(),
            versions=seen(session, found).versions,
        )

    return answered(who, correction_id, act)


def chosen() -> list[UUID]:
    """The reports that were ticked; raises InvalidFields."""
    try:
        return [UUID(report_id) for report_id in request.form.getlist("report")]
    except ValueError:
        raise InvalidFields("Choose reports of this correction.") from None


@blueprint.post("/review/<uuid:correction_id>/put-back")
@signed_in(Scope.REVIEW)
def put_back(who: Principal, correction_id: UUID) -> Answer:
    """Undo a split."""

    def act(session: Session, _: Correction) -> None:
        splits.put_back(session, who.site_id, correction_id, by=by(who), now=current.now())

    return answered(who, correction_id, act)


def answered(who: Principal, correction_id: UUID, act: Any) -> Answer:
    """Do what a form asks for, then go on; a refusal is told on the page that sent the form."""
    try:
        with current.database().write() as session:
            place = act(session, changes.find(session, who.site_id, correction_id))
    except ANSWERED as refusal:
        if "version" not in request.form:
            raise
        return page(who, correction_id, refusal)
    current.parts().on_event()
    return redirect(place or forms.place(request.form.get("next")), 303)
