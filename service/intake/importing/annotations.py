"""Corrections out of our own export: W3C annotations whose member `corrigenda` says all of them."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, Never

from service import addresses, hashing
from service import text as texts
from service.intake.importing.finds import (
    BadRow,
    Columns,
    Found,
    Sent,
    address,
    identity,
    instant,
    key,
    number,
    text,
    word,
)
from service.models import TITLE_LIMIT, AnchorState, Category, Kind, Site, State

LONGEST = 64 << 20
"""Bytes of a line."""

CAPS = {"wording": 1000, "public_note": 2000}
"""How many characters the texts of a correction have at most."""


def read(site: Site, file: BinaryIO) -> Iterator[Found | BadRow]:
    """The corrections in the lines of a file; empty lines are passed over."""
    line = 0
    while said := file.readline(LONGEST):
        line += 1
        if not said.strip():
            continue
        try:
            yield _found(site, line, _parsed(said))
        except BadRow as bad:
            yield BadRow(str(bad), line)


def _parsed(said: bytes) -> dict[str, Any]:
    try:
        found = json.loads(said, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadRow("is not JSON") from None
    return _object(found, "the line")


def _refuse(_constant: str) -> Never:
    raise ValueError


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRow(f"{what} is not an object")
    return value


def _objects(value: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise BadRow(f"{what} is not a list")
    return [_object(each, f"one of {what}") for each in value]


def _found(site: Site, line: int, said: dict[str, Any]) -> Found:
    target = _object(said.get("target"), "target")
    rest = _object(said.get("corrigenda"), "corrigenda")
    article = _object(rest.get("article"), "article")
    url = address(target.get("source"), site)
    reports = [_report(each) for each in _objects(rest.get("reports"), "reports")]
    if not reports:
        raise BadRow("there is no report")
    quote = _quote(target.get("selector") or [])
    anchor = _object(rest.get("anchor"), "anchor")
    correction: Columns = {
        **quote,
        "state": word(State, rest.get("state"), "state"),
        "suspected": rest.get("suspected") is True,
        "version": number(rest.get("version"), "version") or 1,
        "passage_hash": quote["exact"] and hashing.fingerprint(texts.normalise(quote["exact"])),
        "anchor_state": word(AnchorState, anchor.get("state"), "anchor"),
        "anchor_start": number(anchor.get("start"), "anchor"),
        "anchor_end": number(anchor.get("end"), "anchor"),
        "category": _category(rest),
        **{name: text(rest.get(name), name, cap) for name, cap in CAPS.items()},
        "created_at": instant(said.get("created"), "created"),
        "updated_at": instant(said.get("modified"), "modified"),
        **{
            name: _maybe_instant(rest, name)
            for name in ("first_decided_at", "decided_at", "fixed_at", "closed_at")
        },
    }
    return Found(
        line,
        url,
        text(article.get("title"), "title", TITLE_LIMIT),
        text(article.get("lang"), "lang", 35),
        correction,
        reports,
        _moves(rest.get("moves")),
        _publication(rest.get("publication")),
        identity(said.get("id"), "id"),
        identity(rest.get("duplicate_of"), "duplicate_of"),
        text(rest.get("assignee"), "assignee", 254),
    )


def _quote(selectors: object) -> Columns:
    """The columns of a passage; of a whole page they are empty."""
    found: Columns = {"exact": None, "prefix": "", "suffix": "", "start": None, "end": None}
    for said in _objects(selectors, "selector"):
        if said.get("type") == "TextQuoteSelector":
            found["exact"] = text(said.get("exact"), "exact", 500)
            found["prefix"] = text(said.get("prefix"), "prefix", 128) or ""
            found["suffix"] = text(said.get("suffix"), "suffix", 128) or ""
        elif said.get("type") == "TextPositionSelector":
            found["start"] = number(said.get("start"), "start")
            found["end"] = number(said.get("end"), "end")
    return found


def _report(said: dict[str, Any]) -> Sent:
    original = identity(said.get("id"), "a report's id")
    if original is None:
        raise BadRow("a report has no id")
    source = text(said.get("source"), "source", addresses.URL_LIMIT) or ""
    if not addresses.is_safe(source):
        raise BadRow("a report's source is no address")
    spam = _object(said.get("spam"), "spam")
    columns: Columns = {
        **_quote(said.get("selector") or []),
        "source": source,
        "title": text(said.get("title"), "title", TITLE_LIMIT),
        "lang": text(said.get("lang"), "lang", 35),
        "revision": text(said.get("revision"), "revision", 8),
        "suggestion": text(said.get("suggestion"), "suggestion", 1000),
        "proposal": text(said.get("proposal"), "proposal", 5000),
        "comment": text(said.get("comment"), "comment", 2000),
        "category": _category(said),
        "suspected": said.get("suspected") is True,
        "spam_score": number(spam.get("score"), "score", 100) or 0,
        "spam_reasons": [_reason(each) for each in _objects(spam.get("reasons"), "reasons")],
        "created_at": instant(said.get("created_at"), "created_at"),
    }
    return Sent(key("jsonl", original), columns, original)


def _reason(said: dict[str, Any]) -> Columns:
    found: Columns = {
        "reason": text(said.get("reason"), "reason", 20),
        "points": number(said.get("points"), "points", 100),
    }
    return (
        found if said.get("count") is None else {**found, "count": number(said["count"], "count")}
    )


def _category(said: dict[str, Any]) -> Category | None:
    value = said.get("category")
    return None if value is None else word(Category, value, "category")


def _maybe_instant(said: dict[str, Any], name: str) -> datetime | None:
    return None if said.get(name) is None else instant(said[name], name)


def _moves(value: object) -> list[Columns]:
    found = [_move(each) for each in _objects(value, "moves")]
    if not {move["undoes"] for move in found} <= {None, *(move["id"] for move in found)}:
        raise BadRow("a move undoes none of the others")
    return found


def _move(said: dict[str, Any]) -> Columns:
    return {
        "id": identity(said.get("id"), "a move's id"),
        "from_state": word(State, said.get("from"), "from"),
        "to_state": word(State, said.get("to"), "to"),
        "by": text(said.get("by"), "by", 254) or "",
        "reason": text(said.get("reason"), "reason", 2000),
        "before": _before(said.get("before")),
        "undoes": identity(said.get("undoes"), "undoes"),
        "created_at": instant(said.get("at"), "at"),
    }


def _before(value: object) -> Columns | None:
    """What a move changed besides the state; exports of older releases do not tell."""
    if value is None:
        return None
    changed = _object(value, "before")
    return {
        field: {name: _kept(field, _object(each, field).get(name)) for name in ("was", "now")}
        for field, each in changed.items()
    }


def _kept(field: str, value: object) -> object:
    if field == "suspected":
        return value is True
    if field not in CAPS:
        raise BadRow("before names a field that no move changes")
    return text(value, field, CAPS[field])


def _publication(value: object) -> Columns | None:
    if value is None:
        return None
    said = _object(value, "publication")
    return {
        "kind": word(Kind, said.get("kind"), "kind"),
        "thanks": text(said.get("thanks"), "thanks", 200),
        "withdrawn_reason": text(said.get("withdrawn_reason"), "withdrawn_reason", 500),
        **{name: text(said.get(name), name, 2000) for name in ("said", "says", "note")},
        "published_at": instant(said.get("published_at"), "published_at"),
        **{name: _maybe_instant(said, name) for name in ("changed_at", "withdrawn_at")},
    }
