"""Instants as both databases take them."""

from datetime import UTC, datetime


def instant(at: float) -> str:
    """Seconds since 1970 as `2026-01-02 03:04:05.678901`, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
