"""Reports of the WordPress plugin Mistape: the rows of its table `mistape_reports`.

Its schema: wp-plugins/mistape, `create_db` of release 1.4.0. Of its readers' addresses, accounts
and browsers nothing is kept.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import TextIO
from zoneinfo import ZoneInfo

from service import hashing
from service import text as texts
from service.intake.importing import dumps, tables
from service.intake.importing.finds import BadRow, Columns, Found, Sent, address, key, text
from service.models import Site, State

TABLE = "mistape_reports"
COLUMNS = (
    "ID", "blog_id", "post_id", "post_author", "reporter_user_id", "reporter_IP", "date",
    "date_gmt", "selection", "selection_word", "selection_replace_context", "selection_context",
    "comment", "url", "agent", "language", "status", "token",
)  # fmt: skip
NEEDED = {"ID", "selection", "url"}

STATES = {
    "pending": State.NEW,
    "resolve": State.FIXED,
    "archive": State.REJECTED,
    "trash": State.SPAM,
}
BY = "mistape"

_NEVER = "0000-00-00 00:00:00"
_LANGUAGE = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")

Values = dict[str, str | None]


def read(site: Site, file: TextIO) -> Iterator[Found | BadRow]:
    """The reports in a SQL dump or a table with a head; raises InvalidFields on other files."""
    zone = ZoneInfo(site.time_zone)
    for row in _rows(file):
        if isinstance(row, BadRow):
            yield row
            continue
        line, values = row
        try:
            yield _found(site, zone, line, values)
        except BadRow as bad:
            yield BadRow(str(bad), line)


def _rows(file: TextIO) -> Iterator[dumps.Row | BadRow]:
    first = file.readline(10_000)
    names, separator = tables.head(first)
    if set(names) >= NEEDED:
        return tables.rows(file, names, separator)
    file.seek(0)
    return dumps.rows(file, TABLE, COLUMNS)


def _found(site: Site, zone: tzinfo, line: int, values: Values) -> Found:
    """What a row says; raises BadRow."""
    number, blog = values.get("ID") or "", values.get("blog_id") or "1"
    if not (number.isdecimal() and blog.isdecimal()):
        raise BadRow("the ID is not a number")
    url = address(values.get("url"), site)
    state = _state(values.get("status"))
    at = _instant(values, zone)
    quote = _quote(values)
    lang = (values.get("language") or "").replace("_", "-")
    lang = lang if _LANGUAGE.fullmatch(lang) and len(lang) <= 35 else ""
    report: Columns = {
        "source": url,
        "lang": lang or None,
        "comment": text(values.get("comment"), "the comment", 2000) or None,
        "created_at": at,
        **quote,
    }
    # When it was decided nobody wrote down: as if at once, so that it was never open here.
    closed_at = None if state is State.NEW else at
    correction: Columns = {
        "state": state,
        "passage_hash": hashing.fingerprint(texts.normalise(str(quote["exact"]))),
        "decided_at": closed_at,
        "closed_at": closed_at,
        "created_at": at,
        "updated_at": at,
        **quote,
    }
    moves = [] if state is State.NEW else [{"from_state": State.NEW, "to_state": state, "by": BY}]
    sent = Sent(key("mistape", blog, number), report)
    return Found(line, url, None, lang or None, correction, [sent], moves, joins=True)


def _state(status: str | None) -> State:
    state = STATES.get(status or "pending")
    if state is None:
        raise BadRow(f"the status {status} is not one of {', '.join(STATES)}")
    return state


def _instant(values: Values, zone: tzinfo) -> datetime:
    """When it was sent: in UTC, else by the site's clock."""
    for name, of in (("date_gmt", UTC), ("date", zone)):
        said = values.get(name)
        if said and said != _NEVER:
            try:
                return datetime.strptime(said, "%Y-%m-%d %H:%M:%S").replace(tzinfo=of)
            except ValueError:
                raise BadRow(f"the date {said} is none") from None
    raise BadRow("there is no date")


def _quote(values: Values) -> Columns:
    """The selected words and what stands around them.

    Each of the plugin's four texts holds the one before, and is left out where it is the same.
    """
    exact = text(values.get("selection"), "the selection", 500)
    if not exact or not exact.strip():
        raise BadRow("no words were selected")
    prefix = suffix = ""
    inner = exact
    for name in ("selection_word", "selection_replace_context", "selection_context"):
        outer = text(values.get(name), name, 2000) or inner
        before, found, after = outer.partition(inner)
        if found:
            inner, prefix, suffix = outer, before + prefix, suffix + after
    return {"exact": exact, "prefix": prefix[-128:], "suffix": suffix[:128]}
