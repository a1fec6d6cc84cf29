"""Words of the desk: states, ages, counts, in the language and time zone of who is asking."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta
from flask_babel import (
    LazyString,
    format_date,
    format_datetime,
    format_decimal,
    format_number,
    format_percent,
    get_locale,
    gettext,
    lazy_gettext,
)

from service.desk.acts import Act
from service.desk.timeline import Entry
from service.errors import Refusal
from service.models import Category, Change, Kind, Move, Site, State

STATES = {
    State.NEW: lazy_gettext("New"),
    State.ACCEPTED: lazy_gettext("Accepted"),
    State.FIXED: lazy_gettext("Fixed"),
    State.REJECTED: lazy_gettext("Rejected"),
    State.SPAM: lazy_gettext("Spam"),
}

VERBS = {
    State.NEW: lazy_gettext("Reopened"),
    State.ACCEPTED: lazy_gettext("Accepted"),
    State.FIXED: lazy_gettext("Marked as fixed"),
    State.REJECTED: lazy_gettext("Rejected"),
    State.SPAM: lazy_gettext("Marked as spam"),
}

DONE = {
    **{Act(state.value): verb for state, verb in VERBS.items()},
    Act.UNDO: lazy_gettext("Undone"),
    Act.TAKE: lazy_gettext("Taken"),
    Act.LEAVE: lazy_gettext("Given back"),
    Act.FREE: lazy_gettext("Freed of suspicion"),
    Act.WORD: lazy_gettext("Wording saved"),
}
"""What was done, by the act."""

CATEGORIES = {
    Category.TYPO: lazy_gettext("Typo"),
    Category.GRAMMAR: lazy_gettext("Grammar"),
    Category.FACT: lazy_gettext("Fact"),
    Category.CLARIFICATION: lazy_gettext("Clarification"),
    Category.TRANSLATION: lazy_gettext("Translation"),
    Category.LINK: lazy_gettext("Link"),
    Category.OTHER: lazy_gettext("Other"),
}

KINDS = {
    Kind.CORRECTION: lazy_gettext("Correction"),
    Kind.CLARIFICATION: lazy_gettext("Clarification"),
    Kind.UPDATE: lazy_gettext("Update"),
    Kind.RETRACTION: lazy_gettext("Retraction"),
}
"""Kinds of entries on the record."""

REASONS = (
    lazy_gettext("Not a mistake"),
    lazy_gettext("House style"),
    lazy_gettext("A quotation, kept as said"),
    lazy_gettext("Already fixed"),
    lazy_gettext("Cannot be verified"),
)
"""What is offered where the site has no reasons of its own."""

CHANGED = {
    "assignee": lazy_gettext("Assigned"),
    "category": lazy_gettext("Kind changed"),
    "wording": lazy_gettext("Wording changed"),
    "public_note": lazy_gettext("Public note changed"),
    "duplicate_of": lazy_gettext("Joined to another, or parted"),
    "suspected": lazy_gettext("Suspicion changed"),
    "handed_over": lazy_gettext("Handed to the content system"),
}

VERDICTS = {
    "applied": lazy_gettext("The content system applied it."),
    "already_applied": lazy_gettext("The article says so already, says the content system."),
    "not_found": lazy_gettext("The content system does not find these words in the article."),
    "conflict": lazy_gettext("The content system refuses: the article is different in this place."),
    "unanswered": lazy_gettext("The content system gave no answer that counts."),
}
"""What the content system said of a correction that it was handed."""

ADVICE = {
    "applied": lazy_gettext("What you undo here stays in the article: take it out there."),
    "already_applied": lazy_gettext("What you undo here stays in the article: take it out there."),
    "not_found": lazy_gettext(
        "It stays accepted. Look at the article: change it by hand and mark this as fixed, or "
        "reject this if the words are gone."
    ),
    "conflict": lazy_gettext(
        "It stays accepted. Look at the article: change it by hand and mark this as fixed, or "
        "write another wording and apply that."
    ),
    "unanswered": lazy_gettext(
        "It stays accepted. Apply it again: the content system knows it by its id, so nothing is "
        "done twice. If it goes on like this, an admin can look at the webhook."
    ),
}
"""What an editor can do then."""

SUSPICIONS = {
    "trapped": lazy_gettext("a field that people do not see was filled in"),
    "quick": lazy_gettext("sent faster than anybody reads"),
    "links": lazy_gettext("links to elsewhere"),
    "repeated": lazy_gettext("the same comment was sent before"),
    "burst": lazy_gettext("many reports from one network"),
    "blocked-word": lazy_gettext("a blocked word"),
}
"""Why something looks like spam."""

FAULTS = {
    404: (
        lazy_gettext("Not found"),
        lazy_gettext("There is nothing at this address: it was cut off, or what was here is gone."),
    ),
    500: (
        lazy_gettext("Something went wrong"),
        lazy_gettext("Something went wrong on our side; it has been written down."),
    ),
}
"""What a page says instead of an answer, by the status: its title, and a sentence."""

FAULT = (
    lazy_gettext("This cannot be answered"),
    lazy_gettext("What your browser sent makes no sense here."),
)
"""What it says of every other status."""

RECENT = timedelta(days=7)
"""For so long an age says more than a date."""


def refused(refusal: Refusal) -> str:
    """Why something was refused."""
    values = {
        name: str(STATES[value]).lower() if isinstance(value, State) else value
        for name, value in refusal.values.items()
    }
    return str(gettext(refusal.template, **values))


def reasons(site: Site) -> Sequence[str | LazyString]:
    """What is offered as the reason for a rejection."""
    return site.reject_reasons or REASONS


def language(code: str) -> str:
    """What a language calls itself; the code where nobody knows."""
    try:
        return Locale.parse(code, sep="-").get_display_name() or code
    except (ValueError, UnknownLocaleError):
        return code


def deed(entry: Entry) -> str:
    """What was done, in a line of the timeline."""
    match entry.what:
        case Move() as move:
            return str(gettext("Undone") if move.undoes else VERBS[move.to_state])
        case Change() as change:
            return str(CHANGED.get(change.field, gettext("Reports split off or put back")))
    return str(gettext("Note left"))


def instant(text: str | datetime) -> datetime:
    """The instant of an RFC 3339 text."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def age(since: str | datetime, now: datetime) -> str:
    """How long ago: minutes, hours, days, then the date."""
    began = instant(since)
    if now - began < timedelta(minutes=1):
        return str(gettext("just now"))
    if now - began < RECENT:
        return format_timedelta(
            began - now,
            granularity="minute",
            threshold=1,
            add_direction=True,
            format="short",
            locale=get_locale(),
        )
    return day(began)


def day(text: str | datetime) -> str:
    """The date, as `1 Mar 2026`."""
    return str(format_datetime(instant(text), "d MMM y"))


def moment(text: str | datetime) -> str:
    """The whole instant, to the minute, with its time zone."""
    return str(format_datetime(instant(text), "d MMM y, HH:mm z"))


def span(first: date, last: date) -> str:
    """Days from the first to the last, as `1 Mar 2026 – 3 Mar 2026`."""
    days = dict.fromkeys((first, last))
    return " – ".join(str(format_date(each, "d MMM y", rebase=False)) for each in days)


def number(value: int) -> str:
    """A whole number, its thousands set apart."""
    return str(format_number(value))


def tenths(share: float) -> str:
    """A share from 0 to 1 in hundredths, with one decimal and without a sign for it."""
    return str(format_decimal(share * 100, format="#,##0.0"))


def percent(share: float) -> str:
    """A share from 0 to 1."""
    return str(format_percent(share))


def duration(minutes: int) -> str:
    """How long something took, in the unit of which it is two or more."""
    if not minutes:
        return str(gettext("under 1 min"))
    return format_timedelta(
        timedelta(minutes=minutes),
        granularity="minute",
        threshold=2,
        format="short",
        locale=get_locale(),
    )
