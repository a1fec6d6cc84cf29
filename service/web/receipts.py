"""A receipt as its reader gets it, in JSON and as a page: in their language."""

import zlib
from typing import Any

from flask import request

from service import catalogues
from service.catalogues import Texts
from service.models import Place, Site, State
from service.record import receipts
from service.record.stages import Stage
from service.support import asks
from service.web import current

TITLES = {
    Stage.RECEIVED: "received",
    Stage.LOOKED_AT: "looked_at",
    Stage.CORRECTED: "corrected",
    Stage.UNCHANGED: "unchanged",
}
DETAILS = {
    Stage.RECEIVED: "received_more",
    Stage.LOOKED_AT: "looked_at_more",
    Stage.CORRECTED: "corrected_more",
    Stage.UNCHANGED: "unchanged_more",
}


def find(token: str) -> tuple[dict[str, Any], Texts]:
    """What became of a report, in words, and the texts of its reader's language.

    Raises NotFound.
    """
    with current.database().read() as session:
        found = receipts.find(session, token, now=current.now())
    text = spoken("receipt", found["site"], found["lang"] or "")
    detail = DETAILS[found["stage"]]
    if found["state"] is State.ACCEPTED and found["stage"] is Stage.LOOKED_AT:
        detail = "accepted_more"
    said = {"title": text(TITLES[found["stage"]]), "detail": text(detail), "locale": text.locale}
    return {**found, **said, "record_url": _record_url(found)}, text


def ask(found: dict[str, Any], token: str, locale: str) -> dict[str, Any] | None:
    """The support ask under the thanks for a correction: one variant, the same at every visit."""
    if found["stage"] is not Stage.CORRECTED:
        return None
    with current.database().read() as session:
        running = asks.shown(session, found["site"], locale, now=current.now())
    for each in running:
        if Place.THANKS in each["places"] and _fits(each, found):
            return _variant(each["variants"], token)
    return None


def _fits(campaign: dict[str, Any], found: dict[str, Any]) -> bool:
    sections, tags = campaign["sections"], campaign["tags"]
    is_in_section = not sections or (found["section"] or "").lower() in sections
    return is_in_section and (not tags or bool({tag.lower() for tag in found["tags"]} & {*tags}))


def _variant(variants: list[dict[str, Any]], token: str) -> dict[str, Any]:
    by_weight = [each for each in variants for _ in range(each["weight"])]
    chosen = by_weight[zlib.crc32(token.encode()) % len(by_weight)]
    linked = {
        kind: [{**way, "url": way["url"].replace(asks.PLACE, Place.THANKS)} for way in chosen[kind]]
        for kind in ("ways", "amounts")
    }
    return {**chosen, **linked}


def spoken(group: str, site: Site, *otherwise: str) -> Texts:
    """A group's texts in the language asked for, else the browser's, else one of these."""
    asked = request.args.get("locale", "")
    return catalogues.spoken(group, site, asked, *request.accept_languages.values(), *otherwise)


def _record_url(found: dict[str, Any]) -> str | None:
    if found["publication_id"] is None:
        return None
    url = current.settings().public_url
    return f"{url}/record/{found['site'].key}/{found['publication_id']}"
