"""What the preview of a campaign's form shows, whether or not anything of it may be kept yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service import catalogues
from service.models import Site
from service.web import campaign_forms
from service.web.campaign_forms import Typed

LOOKS = ("light", "dark", "phone", "rtl")
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 80 80'%3E"
    "%3Crect width='80' height='80' fill='%23999'/%3E%3Cpath d='M8 66l22-30 14 18 8-10 20 22z' "
    "fill='%23ddd'/%3E%3Ccircle cx='56' cy='24' r='8' fill='%23ddd'/%3E%3C/svg%3E"
)
"""Stands for the campaign's own: a page of the desk loads nothing from elsewhere."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One variant's text in one language, and the words around it."""

    shown: str
    """`NUMBER/LOCALE`, of `choices`."""
    choices: list[tuple[str, str]]
    text: dict[str, Any] | None
    spoken: dict[str, Any]
    """By locale: what `Spoken` is in widget/src/draw.ts."""
    home: str
    """The language that stands in for one that says nothing."""
    picture: str


def preview(form: Typed, site: Site, languages: Sequence[str]) -> Preview:
    """The text that the form chose to see, the first one where it chose none."""
    variants = range(campaign_forms.variants_in(form))
    choices = [
        (f"{number}/{locale}", f"{form.get(f'variants/{number}/key', '')} · {locale}")
        for number in variants
        for locale in languages
    ]
    wanted = form.get("shown", "")
    shown = wanted if wanted in dict(choices) else f"0/{languages[0]}"
    number, _, locale = shown.partition("/")
    texts = dict(campaign_forms.texts(form, int(number)))
    return Preview(
        shown,
        choices,
        texts.get(locale) or texts.get(site.language),
        {each: _spoken(site, each) for each in languages},
        site.language,
        PICTURE if form.get("image_url", "").strip() else "",
    )


def _spoken(site: Site, locale: str) -> dict[str, Any]:
    around = catalogues.spoken("support", site, locale)
    return {
        "locale": around.locale,
        "dir": around.direction,
        "words": {name: around(name) for name in ("already", "later", "amounts")},
    }
