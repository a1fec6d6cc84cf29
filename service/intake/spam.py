"""A score from 0 to 100 that says how much a report looks like spam, and what it is made of."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, select

from service import addresses, text
from service.db import at_most
from service.intake.reports import NewReport
from service.models import Report, Site
from service.text.words import words

MOST = 100
TRAPPED = 100
QUICK, QUICK_SECONDS = 20, 3
"""Nobody reads, selects, types and sends faster."""
PER_LINK, MOST_OF_LINKS = 20, 60
PER_REPEAT, MOST_OF_REPEATS = 15, 60
REPEAT_WINDOW = timedelta(days=1)
BURST, BURST_COUNT, BURST_WINDOW = 20, 10, timedelta(minutes=10)
BLOCKED_WORD = 50

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for spam.

    `reason` is one of trapped, quick, links, repeated, burst, blocked-word; `count` says how many
    links, earlier reports with this comment, or reports of the network in the last ten minutes.
    """

    reason: str
    points: int
    count: int | None = None

    def told(self) -> dict[str, Any]:
        """As it is kept with the report."""
        counted = {} if self.count is None else {"count": self.count}
        return {"reason": self.reason, "points": self.points, **counted}


def score(reasons: list[Reason]) -> int:
    """The sum, at most 100."""
    return min(MOST, sum(reason.points for reason in reasons))


def reasons(new: NewReport, site: Site, earlier: Any) -> list[Reason]:
    """All that speaks for spam, told by the report alone and by what came before it."""
    return [*alone(new, site.origins, site.blocked_words), *_counted(earlier)]


def alone(new: NewReport, origins: list[str], blocked: list[str]) -> list[Reason]:
    """What the report tells of itself."""
    found = []
    if new.is_trapped:
        found.append(Reason("trapped", TRAPPED))
    if new.seconds is not None and new.seconds < QUICK_SECONDS:
        found.append(Reason("quick", QUICK))
    written = f"{new.suggestion or ''}\n{new.comment or ''}"
    if links := foreign_links(written, origins):
        found.append(Reason("links", min(links * PER_LINK, MOST_OF_LINKS), links))
    if has_blocked_word(written, blocked):
        found.append(Reason("blocked-word", BLOCKED_WORD))
    return found


def foreign_links(written: str, origins: list[str]) -> int:
    """How many links lead to other hosts than the site's."""
    links = _LINK.findall(written)
    own = {_host(origin) for origin in origins} if links else {}
    return sum(_host(found) not in own for found in links)


def _host(link: str) -> str | None:
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        host = addresses.in_ascii(parts.hostname or "")
    except ValueError:
        return None
    return host.removeprefix("www.")


def has_blocked_word(written: str, blocked: list[str]) -> bool:
    """Whether a blocked word, or several in a row, stand in the text as whole words.

    Case, accents' encoding and invisible characters make no difference. In scripts written
    without spaces any run of characters is a word.
    """
    if not blocked:
        return False
    line = _in_words(written)
    return any(_in_words(word) in line for word in blocked if word.strip())


def _in_words(written: str) -> str:
    return "\0" + "\0".join(words(text.normalise(written))) + "\0"


def _counted(found: Any) -> list[Reason]:
    """What earlier reports say: the same comment again, many from one network."""
    reasons = []
    if found.repeats:
        reasons.append(Reason("repeated", found.repeats * PER_REPEAT, found.repeats))
    if found.burst >= BURST_COUNT:
        points = BURST * (found.burst // BURST_COUNT)
        reasons.append(Reason("burst", points, found.burst))
    return reasons


def _at_most(most: int, *which: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many reports of the site are so; counting ends at `most`."""
    earlier = select(Report.id).where(Report.site_id == bindparam("site"), *which)
    some = earlier.limit(at_most(most)).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


EARLIER = (
    _at_most(
        MOST_OF_REPEATS // PER_REPEAT,
        Report.comment_hash == bindparam("comment"),
        Report.created_at > bindparam("a_day_ago"),
    ).label("repeats"),
    _at_most(
        2 * BURST_COUNT,
        Report.network == bindparam("network"),
        Report.created_at > bindparam("minutes_ago"),
    ).label("burst"),
)
"""How many reports of a site say the same, and how many are of the same network."""


def windows(now: datetime) -> dict[str, datetime]:
    """The instants since when `EARLIER` counts."""
    return {"a_day_ago": now - REPEAT_WINDOW, "minutes_ago": now - BURST_WINDOW}
