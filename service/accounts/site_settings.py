"""What a site may be set to: each setting is checked here, wherever it comes from."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from service import addresses
from service.accounts.zones import TIME_ZONES
from service.errors import FieldError, InvalidFields, invalid
from service.models import Category

NETWORK_DAYS = 30
"""The longest that networks' hashes are kept: their key is erased then."""

_TAG = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
"""A language tag (BCP 47), whether or not its parts are registered."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a setting becomes what is kept, and what to say where it cannot."""

    keep: Callable[[Any], Any]
    """Raises ValueError."""
    detail: str


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are kept; raises InvalidFields for every one that is wrong."""
    kept: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field, value in values.items():
        try:
            kept[field] = _kept(field, value)
        except InvalidFields as refusal:
            errors += refusal.errors
    if errors:
        raise InvalidFields(errors[0]["detail"], errors=errors)
    return kept


def _kept(field: str, value: Any) -> Any:
    if field == "origins":
        return checked_origins(value)
    rule = RULES.get(field)
    if rule is None:
        raise invalid(f"/{field}", "There is no such setting.")
    try:
        return rule.keep(value)
    except ValueError:
        errors: list[FieldError] = [{"pointer": f"/{field}", "detail": rule.detail}]
        raise InvalidFields(rule.detail, errors=errors) from None


def checked_origins(origins: Sequence[str]) -> list[str]:
    """The origins, normalised, each once; raises InvalidFields."""
    if not origins:
        raise invalid("/origins", "A site needs at least one origin, as in https://news.example.")
    found: dict[str, None] = {}
    for place, text in enumerate(origins):
        try:
            found[addresses.origin(text)] = None
        except addresses.BadAddress as error:
            raise invalid(f"/origins/{place}", f"{text!r}: {error}.") from None
    return list(found)


def _text(least: int, most: int) -> Callable[[str | None], str]:
    def keep(value: str | None) -> str:
        text = (value or "").strip()
        if not least <= len(text) <= most or not text.isprintable():
            raise ValueError
        return text

    return keep


def _or_none(keep: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value in (None, "") else keep(value)


def _number(least: int, most: int) -> Callable[[int], int]:
    def keep(value: int) -> int:
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    return keep


def _lines(most: int, longest: int) -> Callable[[Iterable[str]], list[str]]:
    def keep(value: Iterable[str]) -> list[str]:
        found = list(dict.fromkeys(line.strip() for line in value if line.strip()))
        if len(found) > most or any(len(line) > longest for line in found):
            raise ValueError
        return found

    return keep


def _address(value: str) -> str:
    if not addresses.is_safe(value):
        raise ValueError
    return value


def _tag(value: str) -> str:
    text = _text(1, 35)(value)
    if not _TAG.fullmatch(text):
        raise ValueError
    return text


def _tags(value: Iterable[str]) -> list[str]:
    return [_tag(each) for each in _lines(50, 35)(value)]


def _selector(value: str) -> str:
    text = _text(1, 500)(value)
    try:
        LexborHTMLParser("").css_first(text)
    except SelectolaxError:
        raise ValueError from None
    return text


def _categories(value: Iterable[str]) -> list[str]:
    wanted = {Category(each) for each in value}
    if not wanted:
        raise ValueError
    return [category.value for category in Category if category in wanted]


def _time_zone(value: str) -> str:
    if value not in TIME_ZONES:
        raise ValueError
    return value


_LINK = Rule(_or_none(_address), "This is not an http or https address.")

RULES = {
    "name": Rule(_text(1, 200), "A site needs a name of 1 to 200 characters."),
    "article_selector": Rule(
        _or_none(_selector), "This is not a CSS selector of at most 500 characters."
    ),
    "excerpt_limit": Rule(_number(1, 500), "Excerpts may have 1 to 500 characters."),
    "language": Rule(_tag, "This is not a language tag, as in en or zh-Hans."),
    "languages": Rule(_tags, "These are not language tags, as in en or zh-Hans."),
    "categories": Rule(_categories, "Offer at least one category."),
    "reject_reasons": Rule(_lines(20, 200), "At most 20 reasons, each of at most 200 characters."),
    "blocked_words": Rule(_lines(500, 100), "At most 500 words, each of at most 100 characters."),
    "spam_threshold": Rule(_number(1, 100), "The score is a number from 1 to 100."),
    "challenge_threshold": Rule(
        _or_none(_number(1, 100)), "The score is a number from 1 to 100, or nothing."
    ),
    "email_retention_days": Rule(_number(1, 3650), "E-mails may be kept for 1 to 3,650 days."),
    "network_retention_days": Rule(
        _number(1, NETWORK_DAYS), "Networks may be kept for 1 to 30 days."
    ),
    "time_zone": Rule(_time_zone, "There is no such time zone."),
    "privacy_url": _LINK,
    "contact_url": _LINK,
    "corrections_policy_url": _LINK,
}
