"""Pages: start, sign-in, the review desk, receipts."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import marshmallow as ma
from flask import Blueprint, Flask, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import snapshots
from service.accounts import editors, sessions
from service.accounts.principals import Principal, Scope
from service.desk import changes, moves, queue, revisions
from service.desk.moves import Decision, Seen
from service.errors import Refusal, WrongCredentials
from service.hashing import keyed
from service.models import Category, Editor, Membership, Site, State
from service.record import receipts
from service.web import cookies, current, forms, passages, words
from service.web.bodies import Parser
from service.web.cookies import Answer, signed_in
from service.web.corrections import ChangesIn, FiltersIn, MoveIn
from service.web.editors import by
from service.web.limits import limiter
from service.web.schemas import storable

blueprint = Blueprint("pages", __name__)

QUEUE_REPORTS = 5
"""So many reports of a correction are looked at for its row in the queue."""


def register(app: Flask) -> None:
    """Add the pages, and give their templates what they call."""
    app.jinja_env.globals.update(
        words=words,
        passage=passages.passage,
        changed=passages.changed,
        article_link=passages.link,
        form_field=forms.FIELD,
        form_token=lambda: forms.token_for(cookies.token()),
        now=current.now,
        states=tuple(State),
        categories=tuple(Category),
    )
    app.jinja_env.filters.update(marked=passages.marked, direction=passages.direction)
    app.register_blueprint(blueprint)


@blueprint.get("/")
def start() -> str:
    """What this is, and where to go."""
    return render_template("start.html")


@blueprint.get("/login")
def login() -> str:
    """The sign-in form."""
    return render_template("login.html", next=forms.place(request.args.get("next")))


def _account() -> str:
    secret = current.settings().secret_key
    return keyed(secret, "login", request.form.get("email", "").strip().lower())


@blueprint.post("/login")
@limiter.limit("20/minute;200/hour")
@limiter.limit("10/minute;50/hour", key_func=_account)
def sign_in() -> Answer:
    """Begin a session, with a new token each time."""
    forms.check_origin()
    email, password = request.form.get("email", ""), request.form.get("password", "")
    place = forms.place(request.form.get("next"))
    try:
        token = _begin(email, password)
    except Refusal as refusal:
        page = render_template("login.html", next=place, email=email, message=refusal.detail)
        return make_response(page, refusal.status)
    made = redirect(place, 303)
    cookies.give(made, token)
    return made


def _begin(email: str, password: str) -> str:
    try:
        storable(email)
    except ma.ValidationError:
        raise WrongCredentials from None
    with current.database().read() as session:
        # Before the write: hashing takes long, and others wait for the lock.
        editor = editors.check_password(session, email, password)
    with current.database().write() as session:
        if cookies.token():
            sessions.end(session, cookies.token(), now=current.now())
        return sessions.begin(session, editor, now=current.now())


@blueprint.post("/logout")
@signed_in(Scope.READ)
def logout(who: Principal) -> Answer:
    """End the session."""
    with current.database().write() as session:
        sessions.end(session, cookies.token(), now=current.now())
    made = redirect(url_for("pages.login"), 303)
    cookies.take(made)
    return made


@blueprint.get("/review")
@signed_in(Scope.READ)
def review(who: Principal) -> Answer:
    """The queue."""
    query = Parser().parse(FiltersIn(), request, location="query")
    filters: queue.Filters = query["filters"]
    state = filters.state or State.NEW
    # What was suspected and then called spam is spam, no longer a suspicion.
    wanted = replace(
        filters, state=state, suspected=None if state is State.SPAM else filters.suspected
    )
    with current.database().read() as session:
        page = queue.page(
            session,
            who.site_id,
            wanted,
            sort=query["sort"],
            limit=query["limit"],
            cursor=query["cursor"],
        )
        items = snapshots.of_corrections(session, page.ids, reports=QUEUE_REPORTS)
        return render_template(
            "review.html",
            **_frame(session, who),
            items=items,
            counts=queue.count(session, who.site_id, wanted),
            tab="suspected" if filters.suspected else state.value,
            query=query,
            filters=filters,
            is_narrowed=bool(filters.q.strip() or filters.article or filters.assignee),
            editors=_editors(session, who.site_id),
            here=_here(),
            at=_at,
            next=page.next,
            done=_done(session, who),
        )


def _at(**changed: str | None) -> str:
    """This view's address with some arguments changed or, where None, left out."""
    kept = {name: value for name, value in request.args.items() if name not in {"cursor", "done"}}
    arguments = {name: value for name, value in {**kept, **changed}.items() if value}
    return "/review" + (f"?{urlencode(arguments)}" if arguments else "")


def _here() -> str:
    return _at(cursor=request.args.get("cursor"))


def _done(session: Session, who: Principal) -> dict[str, Any] | None:
    """The correction that was just decided, for one line that offers to undo it."""
    try:
        correction_id = UUID(request.args.get("done", ""))
        changes.find(session, who.site_id, correction_id)
    except (ValueError, Refusal):
        return None
    [item] = snapshots.of_corrections(session, [correction_id], reports=1)
    return item


@blueprint.get("/review/<uuid:correction_id>")
@signed_in(Scope.READ)
def correction(who: Principal, correction_id: UUID) -> Answer:
    """One correction with everything there is to know about it."""
    with current.database().read() as session:
        found = changes.find(session, who.site_id, correction_id)
        [item] = snapshots.of_corrections(session, [correction_id])
        newest = revisions.latest(session, found.article_id)
        return render_template(
            "correction.html",
            **_frame(session, who),
            item=item,
            newest=newest,
            current=passages.current(newest.text, item["anchor"]) if newest else None,
            history=moves.history(session, correction_id),
            editors=_editors(session, who.site_id),
            here=forms.place(request.args.get("next")),
        )


@blueprint.post("/review/<uuid:correction_id>/moves")
@signed_in(Scope.REVIEW)
def move(who: Principal, correction_id: UUID) -> Answer:
    """Decide, and go on with the queue; what was decided can be undone there."""
    decision: Decision = forms.read(MoveIn())
    seen = request.form.get("from")
    with current.database().write() as session:
        moves.decide(
            session,
            who.site_id,
            correction_id,
            decision,
            by=by(who),
            now=current.now(),
            seen=Seen(state=State(seen) if seen in set(State) else None),
        )
    current.parts().on_event()
    return redirect(_with_done(forms.place(request.form.get("next")), correction_id), 303)


def _with_done(place: str, correction_id: UUID) -> str:
    if place.partition("?")[0] != "/review":
        return place
    return f"{place}{'&' if '?' in place else '?'}done={correction_id}"


@blueprint.post("/review/<uuid:correction_id>/changes")
@signed_in(Scope.REVIEW)
def change(who: Principal, correction_id: UUID) -> Answer:
    """Change what is not the state: who has it, its category, the public note, the suspicion."""
    wanted = forms.read(ChangesIn())
    with current.database().write() as session:
        changes.change(session, who.site_id, correction_id, wanted, now=current.now())
    current.parts().on_event()
    return redirect(forms.place(request.form.get("next")), 303)


@blueprint.get("/r/<token>")
@limiter.limit("120/minute")
def receipt(token: str) -> Answer:
    """What became of a reader's own report."""
    with current.database().read() as session:
        found = receipts.find(session, token)
    made = make_response(render_template("receipt.html", receipt=found))
    # The address is a secret.
    made.headers["Referrer-Policy"] = "no-referrer"
    made.headers["X-Robots-Tag"] = "noindex"
    return made


def _frame(session: Session, who: Principal) -> dict[str, Any]:
    return {"who": who, "site": session.get_one(Site, who.site_id)}


def _editors(session: Session, site_id: UUID) -> list[str]:
    return list(
        session.scalars(
            select(Editor.email)
            .join(Membership, Membership.editor_id == Editor.id)
            .where(Membership.site_id == site_id, Editor.disabled_at.is_(None))
            .order_by(Editor.email)
        )
    )
