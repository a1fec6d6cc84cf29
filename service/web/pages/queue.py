"""The review queue: its page, and what keeps an open one up to date."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import jsonify, make_response, render_template, request
from sqlalchemy.orm import Session

from service import snapshots
from service.accounts.principals import Principal, Scope
from service.desk import acts, filters, queue, tallies
from service.models import Site
from service.web import current, exports, words
from service.web.cookies import Answer, signed_in
from service.web.corrections import MOST
from service.web.pages import outcomes, views
from service.web.pages.frame import blueprint, editors_of, frame

REPORTS = 5
"""So many reports of a correction are looked at for its row."""


def _page(session: Session, who: Principal, view: views.View) -> queue.Page:
    return queue.page(
        session,
        who.site_id,
        view.filters,
        sort=view.sort,
        limit=view.limit,
        cursor=view.cursor,
    )


@blueprint.get("/review")
@signed_in(Scope.READ)
def review(who: Principal) -> Answer:
    """The queue."""
    view = views.asked()
    with current.database().read() as session:
        changes = tallies.of_site(session, who.site_id).changes
        page = _page(session, who, view)
        return render_template(
            "review.html",
            **frame(session, who),
            **_rows(session, who, page.ids, view),
            changes=changes,
            counts=views.counts(session, who.site_id, view),
            editors=editors_of(session, who.site_id),
            languages=[
                (code, words.language(code)) for code in filters.languages(session, who.site_id)
            ],
            asked=request.args,
            done=outcomes.of_address(session, who.site_id),
            next=page.next,
        )


def _rows(
    session: Session, who: Principal, ids: Sequence[UUID], view: views.View
) -> dict[str, Any]:
    """What the rows of the queue are made from."""
    keys = acts.keys(session, ids)
    items = snapshots.of_corrections(session, ids, reports=REPORTS)
    site = session.get_one(Site, who.site_id)
    return {
        "keys": keys,
        "items": items,
        "last": {
            item["id"]: outcomes.last(session, UUID(item["id"]))
            for item in items
            if not view.lists(item)
        },
        "view": view,
        "at": views.at,
        "here": views.at(cursor=request.args.get("cursor")),
        "reasons": words.reasons(site),
    }


@blueprint.get("/review/corrections.csv")
@signed_in(Scope.READ)
def table_of_view(who: Principal) -> Answer:
    """All that the view lists as a table for spreadsheets."""
    return exports.download(who.site_id, "csv", views.asked().filters, start=exports.MARK)


@blueprint.get("/review/corrections.jsonl")
@signed_in(Scope.READ)
def view_as_annotations(who: Principal) -> Answer:
    """All that the view lists as W3C annotations."""
    return exports.download(who.site_id, "jsonl", views.asked().filters)


# Staying up to date


@blueprint.get("/review/live")
@signed_in(Scope.READ)
def live(who: Principal) -> Answer:
    """Which rows the view has by now, and the counts; 304 while nothing on the site changed."""
    view = views.asked()
    with current.database().read() as session:
        changes = tallies.of_site(session, who.site_id).changes
        if request.if_none_match.contains_weak(str(changes)):
            made = make_response("", 304)
        else:
            page = _page(session, who, view)
            keys = acts.keys(session, page.ids)
            made = jsonify(
                order=[keys[str(each)] for each in page.ids if str(each) in keys],
                counts=views.counts(session, who.site_id, view),
                next=page.next,
            )
    made.set_etag(str(changes), weak=True)
    return made


@blueprint.get("/review/rows")
@signed_in(Scope.READ)
def rows(who: Principal) -> Answer:
    """Some rows as they are now, whether they still belong to the view or not."""
    view = views.asked()
    names = request.args.get("id", "").split(",")[:MOST]
    with current.database().read() as session:
        ids = queue.of_site(session, who.site_id, acts.ids(names))
        return render_template("rows.html", who=who, **_rows(session, who, ids, view))
