"""Instants and ids as both databases take them: made a million times, so made cheaply."""

from datetime import UTC, datetime


def instant(at: float) -> str:
    """Seconds since 1970 as `2026-01-02 03:04:05.678901`, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(" ", "microseconds")[:26]


def hour(instant: str) -> str:
    """The beginning of an instant's hour."""
    return f"{instant[:13]}:00:00.000000"


def id_at(at: float, bits: int) -> str:
    """The hex of a UUIDv7 of this instant, in seconds since 1970, with these 74 other bits."""
    low = bits & 0x3FFFFFFFFFFFFFFF | 0x8000000000000000
    return f"{round(at * 1000):012x}7{bits >> 62:03x}{low:016x}"


def dashed(hex_id: str) -> str:
    """An id as it is told."""
    return f"{hex_id[:8]}-{hex_id[8:12]}-{hex_id[12:16]}-{hex_id[16:20]}-{hex_id[20:]}"
