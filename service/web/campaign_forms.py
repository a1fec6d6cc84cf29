"""A campaign as a form: its fields are named like the pointers of the JSON that they make."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from service.errors import FieldError, InvalidFields
from service.models import Campaign
from service.support.campaigns import Draft
from service.web import forms
from service.web.campaigns import MOST_VARIANTS, CampaignIn

LISTS = ("sections", "tags", "languages")
NUMBERS = ("after_articles", "max_views", "period_days", "quiet_days")
LINKS = ("ways", "amounts")
WORDS = ("title", "text", "image_alt")

MOST_LANGUAGES = 100
"""So many a form has at most: more than a campaign may."""

_TEXT = re.compile(r"variants/\d+/texts/([^/]+)/\w+")

Typed = MultiDict[str, str]


def filled(campaign: Campaign | Draft, zone: ZoneInfo) -> Typed:
    """The form of a campaign; instants by the clock of `zone`."""
    form: Typed = MultiDict()
    for name in ("name", "image_url", "link_parameters", *NUMBERS):
        form[name] = str(value) if (value := getattr(campaign, name)) is not None else ""
    for name in LISTS:
        form[name] = ", ".join(getattr(campaign, name))
    for name in ("starts_at", "ends_at"):
        moment: datetime | None = getattr(campaign, name)
        form[name] = f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" if moment else ""
    form.setlist("places", campaign.places)
    form["enabled"] = "on" if campaign.enabled else ""
    for number, variant in enumerate(campaign.variants):
        at = f"variants/{number}"
        form[f"{at}/key"], form[f"{at}/weight"] = variant["key"], str(variant["weight"])
        for locale, text in variant["texts"].items():
            for name in WORDS:
                form[f"{at}/texts/{locale}/{name}"] = text[name]
            for name in LINKS:
                form[f"{at}/texts/{locale}/{name}"] = "\n".join(
                    f"{way['label']} | {way['url']}" for way in text[name]
                )
    return form


def variants_in(form: Typed) -> int:
    """How many variants the form has, or that it has too many."""
    named = {name.split("/")[1] for name in form if name.startswith("variants/")}
    return min(len(named), MOST_VARIANTS + 1)


def languages_in(form: Typed) -> list[str]:
    """The locales that the form has texts for."""
    found = dict.fromkeys(match[1] for name in form if (match := _TEXT.fullmatch(name)))
    return list(found)[:MOST_LANGUAGES]


def texts(form: Typed, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a variant says, for each language in which anything was written."""
    for locale in languages_in(form):
        at = f"variants/{number}/texts/{locale}"
        given = {name: form.get(f"{at}/{name}", "") for name in (*WORDS, *LINKS)}
        if any(text.strip() for text in given.values()):
            words = {name: given[name].replace("\r\n", "\n").strip() for name in WORDS}
            yield locale, {**words, **{name: _links(given[name]) for name in LINKS}}


def draft(form: Typed, zone: ZoneInfo) -> Draft:
    """The campaign that a form describes; raises InvalidFields with JSON pointers."""
    body: dict[str, Any] = {name: form.get(name, "") for name in ("name", "link_parameters")}
    body |= {name: _listed(form.get(name, "")) for name in LISTS}
    body |= {name: _number(form.get(name, "")) for name in NUMBERS}
    body |= {name: _instant(form.get(name, ""), zone) for name in ("starts_at", "ends_at")}
    body["places"] = form.getlist("places")
    body["enabled"] = form.get("enabled") == "on"
    body["image_url"] = form.get("image_url") or None
    body["variants"] = [_variant(form, n) for n in range(variants_in(form))]
    found: Draft = forms.load(CampaignIn(), body)
    return found


def told(refusal: InvalidFields, form: Typed) -> dict[str, str]:
    """What is wrong, by the name of the field that it is in; `` for what is in none."""
    found: dict[str, list[str]] = {}
    for error in refusal.errors:
        name, detail = _placed(error, form)
        found.setdefault(name, []).append(detail)
    return {name: " ".join(dict.fromkeys(details)) for name, details in found.items()}


def _placed(error: FieldError, form: Typed) -> tuple[str, str]:
    pointer, detail = error["pointer"].removeprefix("/"), gettext(error["detail"])
    line = re.fullmatch(r"(variants/\d+/texts/[^/]+/(?:ways|amounts))/(\d+)(?:/.*)?", pointer)
    if line:
        return line[1], gettext("Line %(n)s: %(fault)s", n=int(line[2]) + 1, fault=detail)
    if re.fullmatch(r"variants/\d+/texts/[^/]+", pointer):
        return f"{pointer}/title", detail
    return pointer if pointer in form or "/" not in pointer else pointer.rpartition("/")[0], detail


def _variant(form: Typed, number: int) -> dict[str, Any]:
    at = f"variants/{number}"
    return {
        "key": form.get(f"{at}/key", ""),
        "weight": _number(form.get(f"{at}/weight", "")),
        "texts": dict(texts(form, number)),
    }


def _links(text: str) -> list[dict[str, str]]:
    """`Label | https://…` on each line."""
    found = []
    for line in text.splitlines():
        if line.strip():
            label, _, url = line.rpartition("|")
            found.append({"label": label.strip(), "url": url.strip()})
    return found


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> int | str:
    number = forms.number(text)
    return text if number is None else number


def _instant(text: str, zone: ZoneInfo) -> str | None:
    """RFC 3339 of what a browser sends for a local time; anything else as it is, to be refused."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text
