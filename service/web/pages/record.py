"""The record for the public: its page, permalinks, feeds, sitemap, and what may be embedded."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import marshmallow as ma
from flask import Response, jsonify, make_response, render_template, request
from marshmallow import fields, validate

from service import addresses, catalogues
from service.catalogues import Texts
from service.errors import NotFound
from service.models import Kind, Site
from service.record import entries
from service.snapshots import instant
from service.web import cors, current, feeds
from service.web.bodies import Parser
from service.web.cookies import Answer
from service.web.limits import limiter
from service.web.pages.frame import blueprint
from service.web.record import FRESH_SECONDS, RecordQuery, cacheable, home, linked
from service.web.schemas import Text

PAGE = 20
_PERMALINK = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class PageQuery(RecordQuery):
    """What the page can be asked for: the API's filters, in a language."""

    limit = fields.Integer(load_default=PAGE, validate=validate.Range(min=1, max=200))

    class Meta:
        """A form sends empty fields; others have their own parameters."""

        unknown = ma.EXCLUDE

    @ma.pre_load
    def _without_empty(self, data: Any, **_: Any) -> dict[str, str]:
        return {name: value for name, value in data.items() if value}


class EmbedQuery(ma.Schema):
    """Which entry, or which article's entries."""

    url = Text(addresses.URL_LIMIT, required=True)
    maxwidth = fields.Integer(
        load_default=feeds.EMBED_WIDTH, validate=validate.Range(min=1, max=10000)
    )

    class Meta:
        """oEmbed's other parameters change nothing here."""

        unknown = ma.EXCLUDE


@blueprint.get("/record/<key>")
@limiter.limit("120/minute")
def record(key: str) -> Answer:
    """The published corrections, the newest first; by month, kind, article; searched."""
    site = cors.site()
    query = Parser().parse(PageQuery(), request, location="query")
    with current.database().read() as session:
        page = entries.page(
            session,
            site,
            query["narrowed"],
            now=current.now(),
            limit=query["limit"],
            cursor=query["cursor"],
        )
        months = entries.months(session, site, now=current.now())
    found = [linked(site, each) for each in page.entries]
    return _page(
        site,
        "record/list.html",
        found,
        by_month=[(month, list(group)) for month, group in groupby(found, _month)],
        narrowed=query["narrowed"],
        months=months,
        kinds=tuple(Kind),
        next=_at(cursor=page.next) if page.next else None,
        newest=_at(cursor=None) if query["cursor"] else None,
    )


@blueprint.get("/record/<key>/<uuid:publication_id>")
@limiter.limit("120/minute")
def entry(key: str, publication_id: UUID) -> Answer:
    """One entry under its own address."""
    site = cors.site()
    with current.database().read() as session:
        found = entries.find(session, site, publication_id, now=current.now())
        others = entries.of_article(session, site, found["article"]["url"], now=current.now())
    shown = linked(site, found)
    embed = f"{home(site)}/oembed?{urlencode({'url': shown['url']})}"
    return _page(
        site,
        "record/entry.html",
        [shown],
        of_article=[linked(site, other) for other in others],
        embed=embed,
    )


@blueprint.get("/record/<key>.atom")
def atom(key: str) -> Response:
    """The newest entries as an Atom feed."""
    site, found, changed, _ = _newest()
    updated = instant(changed or site.created_at) or ""
    body = feeds.atom(site, found, _texts(site), home=home(site), updated=updated)
    return _shared(Response(body, mimetype="application/atom+xml"))


@blueprint.get("/record/<key>.json")
def json_feed(key: str) -> Response:
    """The newest entries as a JSON Feed."""
    site, found, _, cursor = _newest()
    next_url = f"{home(site)}.json?{urlencode({'cursor': cursor})}" if cursor else None
    feed = feeds.json_feed(site, found, _texts(site), home=home(site), next_url=next_url)
    made = jsonify(feed)
    made.mimetype = "application/feed+json"
    return _shared(made)


@blueprint.get("/record/<key>/sitemap.xml")
def sitemap(key: str) -> Response:
    """Every permalink, for search engines."""
    site = cors.site()
    with current.database().read() as session:
        places = entries.places(session, site, now=current.now())
    pages = [(f"{home(site)}/{place}", instant(changed) or "") for place, changed in places]
    newest = max((changed for _, changed in pages), default=instant(site.created_at) or "")
    body = feeds.sitemap([(home(site), newest), *pages])
    return _shared(Response(body, mimetype="application/xml"))


@blueprint.get("/record/<key>/oembed")
def oembed(key: str) -> Response:
    """An entry, or an article's, to be put into a page (oEmbed)."""
    site = cors.site()
    query = Parser().parse(EmbedQuery(), request, location="query")
    made = jsonify(
        feeds.oembed(
            site,
            _named(site, query["url"]),
            _texts(site),
            home=home(site),
            width=min(query["maxwidth"], feeds.EMBED_WIDTH),
            seconds=FRESH_SECONDS,
        )
    )
    return _shared(made)


def _named(site: Site, url: str) -> list[feeds.Entry]:
    """The entry with this permalink, else those of the article; raises NotFound."""
    permalink = _PERMALINK.fullmatch(url.removeprefix(home(site)))
    with current.database().read() as session:
        if permalink:
            found = [entries.find(session, site, UUID(permalink[1]), now=current.now())]
        else:
            found = entries.of_article(session, site, url, now=current.now())
    if not found:
        raise NotFound("There is nothing in the record about this address.")
    return [linked(site, each) for each in found]


def _newest() -> tuple[Site, list[feeds.Entry], datetime | None, str | None]:
    site = cors.site()
    query = Parser().parse(PageQuery(only=("cursor",)), request, location="query")
    with current.database().read() as session:
        page = entries.page(
            session, site, entries.Narrowed(), now=current.now(), cursor=query["cursor"]
        )
        changed = entries.changed_at(session, site, now=current.now())
    return site, [linked(site, each) for each in page.entries], changed, page.next


def _page(site: Site, template: str, found: Sequence[feeds.Entry], **more: Any) -> Response:
    texts = _texts(site)
    about = {each["article"]["url"] for each in found}
    of_article = more.get("of_article", found)
    made = make_response(
        render_template(
            template,
            site=site,
            home=home(site),
            entries=found,
            texts=texts,
            lang=texts.locale,
            dir=texts.direction,
            month_name=texts.month,
            json_ld=feeds.json_ld(site, of_article, texts) if len(about) == 1 else None,
            **more,
        )
    )
    return cacheable(made)


def _month(found: feeds.Entry) -> str:
    return str(found["published_at"])[:7]


def _texts(site: Site) -> Texts:
    return catalogues.spoken("record", site, request.args.get("locale", ""))


def _at(**changed: str | None) -> str:
    """This list's address with some arguments changed or, where None, left out."""
    arguments = {**request.args, **changed}
    kept = {name: value for name, value in arguments.items() if value}
    return request.path + (f"?{urlencode(kept)}" if kept else "")


def _shared(made: Response) -> Response:
    """Let any page of any site read it."""
    made.headers["Access-Control-Allow-Origin"] = "*"
    made.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return cacheable(made)
