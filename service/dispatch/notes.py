"""What a channel is told: several events as one note, in words, without any medium's markup."""

import gettext
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from service import addresses

EXCERPT = 60
COMMENT = 80
"""Code points of a reader's words that are shown."""

ASKED = 1000
"""Characters of a link that asks for one article's corrections; a longer one asks for none."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a channel sees it."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One correction: what became of it, the words it is about, where to look at it."""

    lead: str
    """As in `New · 3 reports`."""
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """The corrections of one article."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Note:
    """One message to a channel."""

    headline: str
    groups: Sequence[Group]
    url: str
    """The queue."""
    link_text: str
    stop_text: str
    stop_url: str

    def shortened(self, limit: int) -> tuple[Sequence[Group], int]:
        """The first `limit` lines in their groups, and how many are left out."""
        left, groups = limit, []
        for group in self.groups:
            if left:
                groups.append(Group(group.title, group.lines[:left]))
                left -= len(groups[-1].lines)
        return groups, sum(len(group.lines) for group in self.groups) - (limit - left)


def about(
    told: Iterable[Told],
    *,
    site_name: str,
    language: str,
    public_url: str,
    stop_url: str,
) -> Note:
    """A note about events: each correction once, as its newest event has it, by article."""
    words = words_of(language)
    newest: dict[str, Told] = {}
    for each in told:
        # Moved to the end: in the order of the newest.
        newest.pop(each.data["id"], None)
        newest[each.data["id"]] = each
    groups: dict[str, list[Told]] = {}
    for each in newest.values():
        groups.setdefault(each.data["article"]["url"], []).append(each)
    return Note(
        headline=_headline(list(newest.values()), len(groups), site_name, words),
        groups=[
            Group(_title(each[0]), [_line(one, public_url, words) for one in each])
            for each in groups.values()
        ],
        url=_queue(public_url, list(groups)),
        link_text=words.gettext("Open the queue"),
        stop_text=words.gettext("Stop these messages"),
        stop_url=stop_url,
    )


def trial(*, site_name: str, language: str, public_url: str, stop_url: str) -> Note:
    """A note that shows that a channel works."""
    words = words_of(language)
    return Note(
        headline=words.gettext("A test message: corrections to %(site)s will be told of here.")
        % {"site": one_line(site_name, EXCERPT)},
        groups=[],
        url=f"{public_url}/review",
        link_text=words.gettext("Open the queue"),
        stop_text=words.gettext("Stop these messages"),
        stop_url=stop_url,
    )


def more(count: int, language: str) -> str:
    """As in `and 7 more`."""
    return words_of(language).gettext("and %(count)s more") % {"count": count}


def _headline(
    told: Sequence[Told], articles: int, site_name: str, words: gettext.NullTranslations
) -> str:
    count = len(told)
    if articles == 1:
        text = words.ngettext(
            "A correction to “%(article)s”", "%(count)s corrections to “%(article)s”", count
        )
        return text % {"count": count, "article": _title(told[0])}
    text = words.gettext("%(count)s corrections to %(articles)s articles of %(site)s")
    return text % {
        "count": count,
        "articles": articles,
        "site": one_line(site_name, EXCERPT),
    }


def _line(told: Told, public_url: str, words: gettext.NullTranslations) -> Line:
    data = told.data
    count = data.get("report_count") or 1
    lead = _verb(told.type, words)
    if count > 1:
        lead += " · " + words.ngettext("%(count)s report", "%(count)s reports", count) % {
            "count": count
        }
    return Line(lead, _change(data, words), f"{public_url}/review/{data['id']}")


def _verb(kind: str, words: gettext.NullTranslations) -> str:
    _ = words.gettext
    verbs = {
        "report.created": _("Reported"),
        "correction.created": _("New"),
        "correction.accepted": _("Accepted"),
        "correction.fixed": _("Fixed"),
        "correction.rejected": _("Rejected"),
        "correction.spam": _("Spam"),
        "correction.reopened": _("Reopened"),
        "correction.published": _("Published"),
    }
    return verbs.get(kind, kind)


def _change(data: Mapping[str, Any], words: gettext.NullTranslations) -> str:
    exact = data["selector"][0]["exact"] if data.get("selector") else None
    suggestions = data.get("suggestions") or []
    wanted = data.get("wording")
    if wanted is None and suggestions:
        wanted = suggestions[0]["text"]
    if exact is not None and wanted is not None:
        after = f"“{one_line(wanted, EXCERPT)}”" if wanted else words.gettext("(delete)")
        return f"“{one_line(exact, EXCERPT)}” → {after}"
    comments = [report["comment"] for report in data.get("reports") or [] if report.get("comment")]
    comment = one_line(comments[0], COMMENT) if comments else ""
    if exact is not None:
        return f"“{one_line(exact, EXCERPT)}”" + (f": {comment}" if comment else "")
    return comment or words.gettext("About the whole page")


def _title(told: Told) -> str:
    article = told.data["article"]
    return one_line(article.get("title") or addresses.readable(article["url"]), EXCERPT)


def one_line(text: str, limit: int) -> str:
    """Text without line ends and what is invisible: a reader's words stay in their place."""
    line = "".join(char for char in " ".join(text.split()) if char.isprintable())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _queue(public_url: str, articles: Sequence[str]) -> str:
    asked = f"?{urlencode({'article': articles[0]})}" if len(articles) == 1 else ""
    return f"{public_url}/review{asked if len(asked) <= ASKED else ''}"


@lru_cache
def words_of(language: str) -> gettext.NullTranslations:
    """The newsroom's language, where the catalogue of the desk has it; English otherwise."""
    return gettext.translation(
        "messages",
        localedir=str(resources.files("service") / "translations"),
        languages=[language.replace("-", "_"), language.partition("-")[0]],
        fallback=True,
    )
