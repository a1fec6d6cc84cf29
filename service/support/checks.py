"""What a campaign must be before it is kept: every fault at once, each at its field."""

import re
from collections import Counter
from collections.abc import Iterator
from string import Formatter
from typing import TYPE_CHECKING, Any

from service import addresses
from service.errors import FieldError
from service.models import Place

if TYPE_CHECKING:
    from service.support.campaigns import Draft

PARAMETERS = frozenset({"site", "campaign", "variant", "place"})
"""What the parameters added to links may name in braces."""

_QUERY = re.compile(r"[\w.~!$'()*+,;:@/?%{}-]+=[\w.~!$'()*+,;:@/?%{}-]*", re.ASCII)
_VARIANT = re.compile(r"[a-z0-9-]{1,20}")


def faults(draft: "Draft", language: str) -> list[FieldError]:
    """All that is wrong with a draft; `language` is the site's own, which no text may lack."""
    return [*_when(draft), *_where(draft), *_links(draft), *_variants(draft, language)]


def fault(pointer: str, detail: str) -> FieldError:
    """One fault at a field, to be told in the editor's language."""
    return {"pointer": pointer, "detail": detail}


def _when(draft: "Draft") -> Iterator[FieldError]:
    if draft.starts_at and draft.ends_at and draft.starts_at >= draft.ends_at:
        yield fault("/ends_at", "The end must come after the beginning.")


def _where(draft: "Draft") -> Iterator[FieldError]:
    if not draft.places:
        yield fault("/places", "Choose at least one place.")
    for number, place in enumerate(draft.places):
        if place not in set(Place):
            yield fault(f"/places/{number}", f"Places are some of: {', '.join(Place)}.")


def _links(draft: "Draft") -> Iterator[FieldError]:
    if draft.image_url and not addresses.is_safe(draft.image_url):
        yield fault("/image_url", "This is not an http or https address.")
    if draft.link_parameters and (wrong := _parameters_fault(draft.link_parameters)):
        yield fault("/link_parameters", wrong)


def _parameters_fault(text: str) -> str | None:
    if not all(_QUERY.fullmatch(pair) for pair in text.split("&")):
        return "Write them as name=value&name=value."
    try:
        named = {
            f"{name}{'!' * bool(conversion)}{conversion or ''}{':' * bool(form)}{form}"
            for _, name, form, conversion in Formatter().parse(text)
            if name is not None
        }
    except ValueError:
        return "A brace is not closed."
    if unknown := sorted(named - PARAMETERS):
        return f"There is no {{{unknown[0]}}}; there are {', '.join(sorted(PARAMETERS))}."
    return None


def _variants(draft: "Draft", language: str) -> Iterator[FieldError]:
    if not draft.variants:
        yield fault("/variants", "A campaign needs at least one variant.")
    elif sum(variant["weight"] for variant in draft.variants) <= 0:
        yield fault("/variants", "At least one variant needs a weight over 0.")
    times = Counter(variant["key"] for variant in draft.variants)
    for number, variant in enumerate(draft.variants):
        at = f"/variants/{number}"
        if not _VARIANT.fullmatch(variant["key"]):
            yield fault(f"{at}/key", "1 to 20 of a to z, 0 to 9 and -.")
        elif times[variant["key"]] > 1:
            yield fault(f"{at}/key", "Another variant has this key.")
        # The site's own language is what every other falls back to.
        for wanted in dict.fromkeys([language, *draft.languages]):
            if wanted not in variant["texts"]:
                yield fault(f"{at}/texts/{wanted}", "The text in this language is missing.")
        for locale, text in variant["texts"].items():
            yield from _text(f"{at}/texts/{locale}", text)


def _text(at: str, text: dict[str, Any]) -> Iterator[FieldError]:
    for name in ("title", "text"):
        if not text[name].strip():
            yield fault(f"{at}/{name}", "This must not be empty.")
    if not text["ways"]:
        yield fault(f"{at}/ways", "Name at least one way to support.")
    for kind in ("ways", "amounts"):
        for number, way in enumerate(text[kind]):
            if not way["label"].strip():
                yield fault(f"{at}/{kind}/{number}/label", "This must not be empty.")
            if not addresses.is_safe(way["url"]):
                yield fault(f"{at}/{kind}/{number}/url", "This is not an http or https address.")
