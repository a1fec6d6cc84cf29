"""The articles, by how many of their corrections are open."""

from urllib.parse import urlencode

import marshmallow as ma
from flask import render_template, request
from marshmallow import fields, validate

from service.accounts.principals import Principal, Scope
from service.desk import articles as verbs
from service.web import current
from service.web.bodies import Parser
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint, frame
from service.web.schemas import Text


class ArticlesIn(ma.Schema):
    """Which articles."""

    state = fields.String(load_default="open", validate=validate.OneOf(["open", "all"]))
    q = Text(200, load_default="")
    cursor = Text(50, load_default="")


@blueprint.get("/review/articles")
@signed_in(Scope.READ)
def articles(who: Principal) -> Answer:
    """One page of the articles."""
    asked = Parser().parse(ArticlesIn(), request, location="query", unknown=ma.EXCLUDE)
    with current.database().read() as session:
        page = verbs.page(
            session,
            who.site_id,
            only_open=asked["state"] == "open",
            q=asked["q"],
            cursor=asked["cursor"],
        )
        more = urlencode({"state": asked["state"], "q": asked["q"], "cursor": page.next or ""})
        return render_template(
            "articles.html", **frame(session, who), page=page, asked=asked, more=more
        )
