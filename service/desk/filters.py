"""Which corrections of a site: the tabs, and what narrows them."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import Session

from service import addresses, documents
from service.models import AnchorState, Article, Category, Correction, Editor, State

NOBODY = "nobody"
"""In place of an assignee's address: those that nobody has."""

FEW = 500
"""Up to so many articles in a language lead to their corrections; where more, each row is asked."""

MOST_LANGUAGES = 50


class Age(StrEnum):
    """How long ago a correction was first reported."""

    LAST_DAY = "last-day"
    LAST_WEEK = "last-week"
    OVER_WEEK = "over-week"
    OVER_MONTH = "over-month"


DAYS = {Age.LAST_DAY: 1, Age.LAST_WEEK: 7, Age.OVER_WEEK: 7, Age.OVER_MONTH: 30}


def bounds(age: Age, now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when and until when something was first reported that is of this age now."""
    edge = now - timedelta(days=DAYS[age])
    return (edge, None) if age in {Age.LAST_DAY, Age.LAST_WEEK} else (None, edge)


@dataclass(frozen=True, slots=True)
class Filters:
    """Every field that is set narrows the list; `suspected` None is both."""

    state: State | None = None
    article: str | None = None
    q: str = ""
    assignee: str | None = None
    suspected: bool | None = False
    category: Category | None = None
    language: str | None = None
    reports: int | None = None
    """At least so many."""
    anchor: AnchorState | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrowing(self) -> set[str]:
        """The names of the fields that narrow a tab."""
        names = {field.name for field in fields(self)} - {"state", "suspected"}
        return {name for name in names if getattr(self, name)}


Condition = ColumnElement[bool]


class Conditions:
    """Filters as conditions; `lead` are those that an index leads to, `ask` those asked of rows."""

    def __init__(self, session: Session, site_id: UUID, filters: Filters) -> None:
        self.lead = _Both()
        self.ask = _Both()
        self.query = documents.Query(session, filters.q) if filters.q.strip() else None
        self.is_led_by_search = False
        self._site_id = site_id
        if filters.article:
            article = _article(site_id, filters.article)
            self.lead.add(lambda of: of.article_id.in_(article))
        if filters.assignee:
            self.lead.add(_assigned(filters.assignee))
        if filters.language:
            self._language(session, site_id, filters.language)
        self._fields(filters)

    def which(self, filters: Filters) -> list[Condition]:
        """The rows to look at: those of the tab, and of what leads to few."""
        return [*listed(self._site_id, filters, is_led=self.is_led_by_search), *self.lead()]

    def searched(self) -> "Conditions":
        """With the search: led by it where it leads to few, else each row is asked."""
        if self.query and self.query.is_pointed:
            return self._led_by(self.query.few)
        return self.asking(self.query) if self.query else self

    def asking(self, query: documents.Query) -> "Conditions":
        """With the search, each row being asked."""
        other = copy(self)
        other.ask = self.ask.and_also(query.each)
        return other

    def among(self, query: documents.Query, ids: Sequence[str]) -> "Conditions":
        """With the search, led by these that it has found."""
        return self._led_by(partial(query.among, ids))

    def led(self, query: documents.Query) -> "Conditions":
        """With the search, led by it to however many."""
        return self._led_by(query.all)

    def _led_by(self, found: Any) -> "Conditions":
        other = copy(self)
        other.is_led_by_search = True
        other.lead = self.lead.and_also(found)
        return other

    def _language(self, session: Session, site_id: UUID, language: str) -> None:
        known = select(Article.id).where(Article.site_id == site_id, Article.lang == language)
        most = session.scalar(select(func.count()).select_from(known.limit(FEW + 1).subquery()))
        if (most or 0) <= FEW:
            self.lead.add(lambda of: of.article_id.in_(known))
        else:
            # A scalar, so that no planner begins with the articles.
            self.ask.add(
                lambda of: (
                    select(Article.lang).where(Article.id == of.article_id).scalar_subquery()
                    == language
                )
            )

    def _fields(self, filters: Filters) -> None:
        if filters.category:
            self.ask.add(lambda of: of.category == filters.category)
        if filters.anchor:
            self.ask.add(lambda of: of.anchor_state == filters.anchor)
        if filters.reports:
            self.ask.add(lambda of: of.report_count >= filters.reports)
        if filters.since:
            self.ask.add(lambda of: of.created_at >= filters.since)
        if filters.until:
            self.ask.add(lambda of: of.created_at < filters.until)


class _Both:
    """Conditions that can be put to the corrections or to a selection of them."""

    def __init__(self) -> None:
        self._made: list[Any] = []

    def add(self, make: Any) -> None:
        self._made.append(make)

    def and_also(self, make: Any) -> "_Both":
        """These conditions and one more."""
        other = _Both()
        other._made = [*self._made, make]
        return other

    def __call__(self, of: type[Correction] = Correction) -> list[Condition]:
        return [make(of) for make in self._made]


def listed(site_id: UUID, filters: Filters, *, is_led: bool = False) -> list[Condition]:
    """That a correction stands in the state, and is suspected or not, as the filters say.

    Where the search leads to them (`is_led`), no index of the site may.
    """
    of_site = Correction.site_id == site_id
    # So said, no index of SQLite fits it, which believes that a site has few corrections.
    found = [of_site.is_(True) if is_led else of_site]
    if filters.suspected is not None:
        found.append(Correction.suspected.is_(filters.suspected))
    if filters.state is State.SPAM:
        # Said as it is in the partial index, which SQLite knows by its words only.
        found.append(Correction.state == literal(State.SPAM.value, literal_execute=True))
    elif filters.state:
        found.append(Correction.state == filters.state)
    return found


def languages(session: Session, site_id: UUID) -> list[str]:
    """The languages of a site's articles, one step of the index each."""
    found: list[str] = []
    while len(found) < MOST_LANGUAGES:
        after = select(func.min(Article.lang)).where(Article.site_id == site_id)
        step = session.scalar(after.where(Article.lang > (found[-1] if found else "")))
        if step is None:
            break
        found.append(step)
    return found


def _article(site_id: UUID, url: str) -> Select[Any]:
    try:
        known_as = addresses.canonical(url)
    except addresses.BadAddress:
        known_as = url
    return select(Article.id).where(Article.site_id == site_id, Article.url == known_as)


def _assigned(assignee: str) -> Any:
    address = assignee.strip().lower()
    if address == NOBODY:
        return lambda of: of.assignee_id.is_(None)
    editor = select(Editor.id).where(Editor.email == address)
    return lambda of: of.assignee_id.in_(editor)
