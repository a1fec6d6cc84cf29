"""Pages: start, sign-in, the review desk, receipts; one module a subject."""

from flask import Flask, render_template

from service import addresses
from service.models import Category, State
from service.web import cookies, current, forms, passages, words
from service.web.pages import (
    articles,
    blocks,
    channels,
    correction,
    links,
    mentions,
    outcomes,
    publishing,
    queue,
    receipts,
    record,
    report,
    settings,
    signing_in,
    stats,
    support_results,
)
from service.web.pages.frame import blueprint

__all__ = [
    "articles",
    "blocks",
    "channels",
    "correction",
    "links",
    "mentions",
    "outcomes",
    "publishing",
    "queue",
    "receipts",
    "record",
    "register",
    "report",
    "settings",
    "signing_in",
    "stats",
    "support_results",
]


def register(app: Flask) -> None:
    """Add the pages, and give their templates what they call."""
    app.jinja_env.globals.update(
        words=words,
        passage=passages.passage,
        changed=passages.changed,
        article_link=passages.link,
        is_safe=addresses.is_safe,
        form_field=forms.FIELD,
        form_token=lambda: forms.token_for(cookies.token()),
        now=current.now,
        states=tuple(State),
        categories=tuple(Category),
    )
    app.jinja_env.filters.update(
        marked=passages.marked, direction=passages.direction, readable=addresses.readable
    )
    app.register_blueprint(blueprint)


@blueprint.get("/")
def start() -> str:
    """What this is, and where to go."""
    return render_template("start.html")
