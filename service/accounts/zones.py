"""Time zones that may be chosen."""

from zoneinfo import available_timezones

TIME_ZONES = sorted(
    name
    for name in available_timezones()
    if name == "UTC" or ("/" in name and not name.startswith(("Etc/", "SystemV/", "US/")))
)
"""IANA names: places, and UTC; no abbreviations that mean several things."""
