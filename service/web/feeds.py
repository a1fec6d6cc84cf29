"""The record for machines: Atom (RFC 4287), JSON Feed 1.1, a sitemap, JSON-LD, oEmbed."""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from flask import render_template

from service import addresses
from service.catalogues import Texts
from service.models import Site

Entry = dict[str, Any]
ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
JSON_FEED = "https://jsonfeed.org/version/1.1"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EMBED_WIDTH = 600

# What no XML 1.0 document may hold (2.2); a database can.
_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(site: Site, entries: Sequence[Entry], texts: Texts, *, home: str, updated: str) -> str:
    """The feed as Atom; `updated` is when the record last changed (RFC 3339)."""
    Xml.register_namespace("", ATOM)
    feed = Xml.Element(f"{{{ATOM}}}feed", {XML_LANG: texts.locale})
    _add(feed, "id", home)
    _add(feed, "title", title(site, texts))
    _add(feed, "subtitle", texts("lead"))
    _add(feed, "updated", updated)
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{home}.atom")
    _add(feed, "link", rel="alternate", type="text/html", href=home)
    _add(_add(feed, "author"), "name", site.name)
    for entry in entries:
        _add_entry(feed, entry, texts)
    return _document(feed)


def _add_entry(feed: Xml.Element, entry: Entry, texts: Texts) -> None:
    made = _add(feed, "entry")
    _add(made, "id", f"urn:uuid:{entry['id']}")
    _add(made, "title", headline(entry, texts))
    _add(made, "link", rel="alternate", type="text/html", href=entry["url"])
    if addresses.is_safe(entry["article"]["url"]):
        _add(made, "link", rel="related", href=entry["article"]["url"])
    _add(made, "published", entry["published_at"])
    _add(made, "updated", modified(entry))
    _add(made, "category", term=entry["kind"], label=kind(entry, texts))
    content = _add(made, "content", html(entry, texts), type="html")
    if entry["article"]["lang"]:
        content.set(XML_LANG, _clean(entry["article"]["lang"]))


def json_feed(
    site: Site, entries: Sequence[Entry], texts: Texts, *, home: str, next_url: str | None
) -> dict[str, Any]:
    """The feed as JSON Feed 1.1."""
    feed = {
        "version": JSON_FEED,
        "title": title(site, texts),
        "description": texts("lead"),
        "home_page_url": home,
        "feed_url": f"{home}.json",
        "language": texts.locale,
        "authors": [{"name": site.name}],
        "items": [_item(entry, texts) for entry in entries],
    }
    return {**feed, "next_url": next_url} if next_url else feed


def _item(entry: Entry, texts: Texts) -> dict[str, Any]:
    item = {
        "id": f"urn:uuid:{entry['id']}",
        "url": entry["url"],
        "title": headline(entry, texts),
        "content_html": html(entry, texts),
        "content_text": text(entry, texts),
        "date_published": entry["published_at"],
        "date_modified": modified(entry),
        "tags": [entry["kind"]],
    }
    if addresses.is_safe(entry["article"]["url"]):
        item["external_url"] = entry["article"]["url"]
    return item


def sitemap(pages: Sequence[tuple[str, str]]) -> str:
    """A sitemap of addresses, each with when it was last changed."""
    Xml.register_namespace("", SITEMAP)
    found = Xml.Element(f"{{{SITEMAP}}}urlset")
    for address, changed in pages:
        url = _add(found, "url")
        _add(url, "loc", address)
        _add(url, "lastmod", changed)
    return _document(found)


def json_ld(site: Site, entries: Sequence[Entry], texts: Texts) -> dict[str, Any] | None:
    """One article's corrections as schema.org has them; None without any that stands."""
    standing = [entry for entry in entries if not entry["withdrawn_at"]]
    if not standing:
        return None
    article, newest = standing[0]["article"], max(modified(entry) for entry in standing)
    publisher = {"@type": "NewsMediaOrganization", "name": site.name}
    if site.corrections_policy_url:
        publisher["correctionsPolicy"] = site.corrections_policy_url
    made = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": article["url"],
        "url": article["url"],
        "headline": article["title"],
        "inLanguage": article["lang"],
        "dateModified": newest,
        "publisher": publisher,
        "correction": [_comment(entry, texts) for entry in standing],
    }
    return {name: value for name, value in made.items() if value is not None}


def _comment(entry: Entry, texts: Texts) -> dict[str, str]:
    return {
        "@type": "CorrectionComment",
        "@id": entry["url"],
        "url": entry["url"],
        "name": kind(entry, texts),
        "text": text(entry, texts),
        "datePublished": entry["published_at"],
        "dateModified": modified(entry),
    }


def oembed(
    site: Site, entries: Sequence[Entry], texts: Texts, *, home: str, width: int, seconds: int
) -> dict[str, Any]:
    """Entries to be put into a page, as oEmbed 1.0 gives rich content; `html` has no script."""
    shown = "".join(f"<article>{html(entry, texts)}</article>" for entry in entries)
    return {
        "version": "1.0",
        "type": "rich",
        "title": headline(entries[0], texts) if len(entries) == 1 else title(site, texts),
        "provider_name": site.name,
        "provider_url": home,
        "cache_age": seconds,
        "width": width,
        "height": None,
        "html": f'<section class="corrigenda-record" lang="{texts.locale}" '
        f'dir="{texts.direction}">{shown}</section>',
    }


def title(site: Site, texts: Texts) -> str:
    """What the record is called."""
    return f"{site.name}: {texts('title')}"


def kind(entry: Entry, texts: Texts) -> str:
    """The word for what an entry is."""
    return texts(entry["kind"])


def headline(entry: Entry, texts: Texts) -> str:
    """What an entry is, and of which article."""
    article = entry["article"]
    return f"{kind(entry, texts)}: {article['title'] or article['url']}"


def modified(entry: Entry) -> str:
    """When an entry last changed for its readers (RFC 3339)."""
    moments = entry["published_at"], entry["changed_at"], entry["withdrawn_at"]
    return max(str(moment) for moment in moments if moment)


def html(entry: Entry, texts: Texts) -> str:
    """An entry as a few tags without classes, for other people's pages."""
    return render_template("record/feed.html", entry=entry, texts=texts)


def text(entry: Entry, texts: Texts) -> str:
    """An entry as plain text, a line for each of its parts."""
    lines = []
    if entry["withdrawn_at"]:
        lines += [texts("withdrawn", date=texts.date(entry["withdrawn_at"]))]
        if entry["withdrawn_reason"]:
            lines += [f"{texts('reason')}: {entry['withdrawn_reason']}"]
        return "\n".join(lines)
    for name in ("said", "says"):
        if entry[name]:
            lines.append(f"{texts(name)}: {entry[name]}")
    if entry["says"] == "":
        lines.append(texts("removed"))
    if entry["note"]:
        lines.append(entry["note"])
    if entry["thanks"]:
        lines.append(f"{texts('thanks')}: {entry['thanks']}")
    return "\n".join(lines)


def _add(parent: Xml.Element, name: str, said: str | None = None, **more: str) -> Xml.Element:
    space = parent.tag.partition("}")[0]
    made = Xml.SubElement(
        parent, f"{space}}}{name}", {key: _clean(value) for key, value in more.items()}
    )
    if said is not None:
        made.text = _clean(said)
    return made


def _clean(said: str) -> str:
    return _NO_CHARACTERS.sub("\ufffd", said)


def _document(root: Xml.Element) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode")
