"""Which corrections of a site: the tabs, and what narrows them."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
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
        if filters.article:
            article = _article(site_id, filters.article)
            self.lead.add(lambda of: of.article_id.in_(article))
        if filters.assignee:
            self.lead.add(_assigned(filters.assignee))
        if filters.q.strip():
            query = documents.Query(session, filters.q)
            (self.lead if query.is_pointed else self.ask).add(query.of)
        if filters.language:
            self._language(session, site_id, filters.language)
        self._fields(filters)

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

    def __call__(self, of: type[Correction] = Correction) -> list[Condition]:
        return [make(of) for make in self._made]


def listed(site_id: UUID, filters: Filters) -> list[Condition]:
    """That a correction stands in the state, and is suspected or not, as the filters say."""
    found = [Correction.site_id == site_id]
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
