"""Words for people: states, ages, counts."""

from datetime import UTC, datetime

from service.models import State

STATES = {
    State.NEW: "New",
    State.ACCEPTED: "Accepted",
    State.FIXED: "Fixed",
    State.REJECTED: "Rejected",
    State.SPAM: "Spam",
}

VERBS = {
    State.NEW: "Reopened",
    State.ACCEPTED: "Accepted",
    State.FIXED: "Marked as fixed",
    State.REJECTED: "Rejected",
    State.SPAM: "Marked as spam",
}

RECEIPT = {
    State.NEW: ("Waiting for an editor", "Your note has arrived. Nobody has decided on it yet."),
    State.ACCEPTED: ("Accepted", "The editors agree and will correct the article."),
    State.FIXED: ("Corrected", "The article has been corrected. Thank you."),
    State.REJECTED: (
        "Not taken up",
        "The editors have read your note and leave the text as it is.",
    ),
    State.SPAM: ("Not taken up", "The editors have read your note and leave the text as it is."),
}

REASONS = (
    "Not a mistake",
    "House style",
    "A quotation, kept as said",
    "Already fixed",
    "Cannot be verified",
)


def counted(number: int, one: str, many: str) -> str:
    """`1 reader`, `3 readers`."""
    return f"{number:,} {one if number == 1 else many}"


def instant(text: str | datetime) -> datetime:
    """The instant of an RFC 3339 text."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def age(since: str | datetime, now: datetime) -> str:
    """How long ago: minutes, hours, days, then the date."""
    began = instant(since)
    seconds = (now - began).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    if seconds < 7 * 86400:
        return f"{int(seconds // 86400)} d ago"
    return f"{began:%d %b %Y}".lstrip("0")


def moment(text: str | datetime) -> str:
    """The whole instant, to the minute, in UTC."""
    return f"{instant(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
