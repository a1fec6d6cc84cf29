"""`javascript:` and friends: only http and https addresses of the site's own hosts become links."""

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.accounts import sites
from service.db import Database
from service.errors import InvalidFields
from service.models import Article, Editor, Report, Site
from tests.conftest import ORIGIN
from tests.security.tally import Tally
from tests.web.test_pages import sign_in
from tests.web.test_public import body, post

ROW = "javascript: and friends in links"

ANYWHERE_UNSAFE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "\tjavascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "javascript\n:alert(1)",
    "javascript:/*https://news.example/*/alert(1)",
    "javascript://news.example/%0aalert(1)",
    "javascript://https://news.example/%0aalert(1)",
    "&#106;avascript:alert(1)",
    "javascript&colon;alert(1)",
    "\x01javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "\u3000javascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "vbscript:msgbox(1)",
    "livescript:alert(1)",
    "mocha:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "DATA:image/svg+xml,<svg onload=alert(1)>",
    "blob:https://news.example/1",
    "filesystem:https://news.example/1",
    "view-source:https://news.example/",
    "feed:javascript:alert(1)",
    "jar:https://news.example!/a",
    "file:///etc/passwd",
    "ftp://news.example/",
    "ws://news.example/",
    "mailto:a@b.example",
    "tel:123",
    "about:blank",
    "intent://news.example#Intent;scheme=http;end",
    "//news.example/",
    "///news.example/",
    "\\\\news.example\\a",
    "/a",
    "a",
    "?a",
    "#a",
    "",
    "https:",
    "https:/news.example",
    "https:news.example",
    "https:///news.example",
    "https://",
    "https:// /",
    "https://news.example\\@evil.example/",
    "https://news.example\\.evil.example/",
    "https://a@news.example/",
    "https://a:b@news.example/",
    "https://news.example@evil.example/",
    "https://@news.example/",
    "https://:@news.example/",
    "https://evil.example%40news.example/",
    "https://news.example:99999/",
    "https://news.example:-1/",
    "https://news.example:0x50/",
    "https://news.example:٨٠/",
    "https://news.example/<script>alert(1)</script>",
    'https://news.example/"onmouseover="alert(1)',
    "https://news.example/`a`",
    "https://news.example/a b",
    "https://news.example/\r\nSet-Cookie: a=b",
    "https://news.example/\x00",
    "https://news.example/\x7f",
    "https://news.example/\u0085",
    "https://news.example/\u202egpj.exe",
    "https://news.example/\u202aa",
    "https://news.example/\u2066a\u2069",
    "https://news.example/\u200ba",
    "https://news.example/\u200fa",
    "https://news.example/\u2028a",
    "https://news.example/\u061ca",
    "https://news.example/\u00ada",
    "https://news.example/\ufeffa",
    "https://news.example/{a}",
    "https://news.example/^a",
    "https://news\u3002example/",
    "https://news.example%2fevil/",
    "https://news.example%00/",
    "https://[news.example]/",
    "https://[::1/",
    "https://news..example/",
    "https://-.example\u2024/",
    "https://news.example/" + "a" * 2048,
]

FOREIGN_HOSTS = [
    "https://evil.example/",
    "https://news.example.evil.example/",
    "https://evilnews.example/",
    "https://sub.news.example/",
    "https://news.example./",
    "https://news/",
    "https://example/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    "https://xn--nws-1nd.example/",
    "https://nеws.example/",
    "https://news.exаmple/",
    "https://ｎews.example/",
    "https://news.example%2eevil.example/",
    "https://evil.example/https://news.example/",
    "https://evil.example?https://news.example/",
    "https://evil.example#https://news.example/",
]

HREF = re.compile(r"""\b(?:href|src|action|formaction|poster|data)\s*=\s*"([^"]*)\"""")


def kept(database: Database) -> list[str]:
    with database.read() as session:
        return [*session.scalars(select(Article.url)), *session.scalars(select(Report.source))]


@pytest.mark.parametrize("corpus", [ANYWHERE_UNSAFE, FOREIGN_HOSTS], ids=["unsafe", "foreign"])
def test_reports_source_is_refused(
    client: FlaskClient, site: Site, database: Database, tally: Tally, corpus: list[str]
) -> None:
    for number, url in enumerate(corpus):
        sent = body(target={"source": url, "canonical": f"{ORIGIN}/a"})
        foreign = post(
            client, site, body(target={"source": url, "canonical": url}), key=f"{number}"
        )
        answers = [foreign, post(client, site, sent, key=f"{number}s")]
        tally.add(url, held={answer.status_code for answer in answers} == {422})
    assert kept(database) == []


def test_unsafe_or_foreign_canonical_falls_back_to_the_source(
    client: FlaskClient, site: Site, database: Database, tally: Tally
) -> None:
    for number, url in enumerate([*ANYWHERE_UNSAFE, *FOREIGN_HOSTS]):
        sent = body(target={"source": f"{ORIGIN}/plain", "canonical": url})
        answer = post(client, site, sent, key=str(number))
        refused = url.isprintable() is False or len(url) > 2048
        tally.add(url, held=answer.status_code in ({201, 422} if refused else {201}))
    assert set(kept(database)) == {f"{ORIGIN}/plain"}


@pytest.mark.parametrize("field", ["privacy_url", "contact_url"])
def test_sites_own_links_are_refused(site: Site, tally: Tally, field: str) -> None:
    for url in ANYWHERE_UNSAFE:
        if url == "":
            continue
        try:
            sites.change(site, **{field: url})
        except InvalidFields:
            tally.add(url, held=True)
        else:
            tally.add(url, held=False)
    assert getattr(site, field) is None


def test_origins_of_a_site_are_refused(site: Site, tally: Tally) -> None:
    for origin in [
        *ANYWHERE_UNSAFE,
        "*",
        "null",
        "https://*.news.example",
        "https://news.example/a",
    ]:
        try:
            sites.change(site, origins=[origin])
        except InvalidFields:
            tally.add(origin, held=True)
        else:
            tally.add(origin, held=False)
    assert site.origins == [ORIGIN]


def test_every_link_on_every_page_is_http_or_ours(
    client: FlaskClient,
    site: Site,
    editor: Editor,
    database: Database,
    bearer: dict[str, str],
    tally: Tally,
) -> None:
    """Even where a bad address were in the database, by an import or another release."""
    receipts = []
    for number, url in enumerate(ANYWHERE_UNSAFE):
        text = body(
            target={"title": url[:500], "canonical": f"{ORIGIN}/{number}"}, comment=url or "a"
        )
        answer: Any = post(client, site, text, key=str(number))
        if answer.status_code != 201:
            continue
        receipts.append(answer.json["receipt_url"])
        with database.write() as session:
            article = session.scalars(
                select(Article).where(Article.url == f"{ORIGIN}/{number}")
            ).one()
            if "\x00" not in url and len(url) <= 2048:
                article.url = url
    sign_in(client, editor)
    ids = [
        item["id"]
        for item in client.get("/api/v1/corrections?limit=200", headers=bearer).json["items"]
    ]
    pages = ["/review?limit=200", *[f"/review/{one}" for one in ids], *receipts]
    assert len(receipts) > 80
    for page in pages:
        found = client.get(page)
        assert found.status_code == 200
        links = [unescape(link) for link in HREF.findall(found.text)]
        safe = [
            link
            for link in links
            if link in {"data:,", ""}
            or re.match(r"https?://[\w.:\[\]-]+(?:[/?#]|$)|/(?![/\\])|#", link)
        ]
        tally.add([link for link in links if link not in safe], held=links == safe)
