"""The settings of a site itself."""

from typing import Any

from babel import Locale
from flask import request

from service import catalogues
from service.accounts import sites
from service.accounts.principals import Principal, Scope
from service.accounts.zones import TIME_ZONES
from service.errors import InvalidFields, StaleVersion
from service.models import Site
from service.web import current, forms
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import back, show

TEXTS = (
    "name",
    "article_selector",
    "language",
    "time_zone",
    "privacy_url",
    "contact_url",
    "corrections_policy_url",
)
NUMBERS = (
    "excerpt_limit",
    "email_retention_days",
    "network_retention_days",
    "spam_threshold",
    "challenge_threshold",
)
LINES = ("origins", "reject_reasons", "blocked_words")
CHOICES = ("categories", "languages")


@blueprint.get("/review/settings/site")
@signed_in(Scope.ADMIN)
def site_settings(who: Principal) -> Answer:
    """The form of all settings."""
    return _page(who)


@blueprint.post("/review/settings/site")
@signed_in(Scope.ADMIN)
def save_site_settings(who: Principal) -> Answer:
    """Save what was changed, unless somebody else did meanwhile."""
    wanted = _sent()
    seen = request.form.get("version", "")
    try:
        with current.database().write() as session:
            sites.save(
                session,
                session.get_one(Site, who.site_id),
                wanted,
                by=who.label,
                now=current.now(),
                version=forms.number(seen) or 0,
            )
    except InvalidFields as refusal:
        return _page(who, given=wanted, seen=seen, errors=forms.told(refusal)), refusal.status
    except StaleVersion as refusal:
        return _page(who, given=wanted, is_stale=True), refusal.status
    return back("site", "site")


def _sent() -> dict[str, Any]:
    """The form's settings as they are checked; a number that is none stays text, and is told."""
    texts = {field: forms.storable_text(field) for field in TEXTS}
    numbers = {field: _number(request.form.get(field, "").strip()) for field in NUMBERS}
    lines = {field: _lines(request.form.get(field, "")) for field in LINES}
    choices = {field: request.form.getlist(field) for field in CHOICES}
    return {**texts, **numbers, **lines, **choices}


def _number(text: str) -> int | str | None:
    if not text:
        return None
    number = forms.number(text)
    return text if number is None else number


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.replace("\0", "").splitlines())
    return [line for line in lines if line]


def _page(
    who: Principal,
    *,
    given: dict[str, Any] | None = None,
    seen: str = "",
    is_stale: bool = False,
    **values: Any,
) -> str:
    with current.database().read() as session:
        site = session.get_one(Site, who.site_id)
        kept = {field: getattr(site, field) for field in (*TEXTS, *NUMBERS, *LINES, *CHOICES)}
        asked = forms.number(request.form.get("version", ""))
        version = site.version if asked is None else asked
        return show(
            session,
            who,
            "site",
            given=given or kept,
            version=seen or site.version,
            is_stale=is_stale,
            since=sites.changes_since(session, site, version) if is_stale else [],
            every_language=_languages(),
            time_zones=[(zone, zone.replace("_", " ")) for zone in TIME_ZONES],
            **values,
        )


def _languages() -> list[tuple[str, str]]:
    """The languages that readers can be spoken to in, each by its own name."""
    return [
        (tag, (Locale.parse(tag, sep="-").get_display_name() or tag).capitalize())
        for tag in sorted(catalogues.every())
    ]
