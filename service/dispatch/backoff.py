"""When to try again: growing delays with jitter, and what a receiver asks for."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Before the second try, the third, and so on; after the last the delivery has failed."""

JITTER = 0.2
"""Up to this share is added, so that what failed together does not return together."""

LONGEST_WISH = timedelta(hours=10)
"""A receiver's Retry-After counts up to here."""


def next_delay(
    tries: int, retry_after: timedelta | None = None, delays: tuple[timedelta, ...] = DELAYS
) -> timedelta | None:
    """How long to wait after so many tries; None when that was the last."""
    if tries > len(delays):
        return None
    planned = delays[tries - 1] * (1 + random.uniform(0, JITTER))  # noqa: S311
    return max(planned, min(retry_after or planned, LONGEST_WISH))


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for (RFC 9110, 10.2.3): seconds or a date; None if neither."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WISH)
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(moment - now, timedelta(0))
    except (ValueError, OverflowError):
        return None
