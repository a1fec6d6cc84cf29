"""Support asks at the desk: what runs when, each campaign's form, the two lines beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from service.accounts.principals import Principal, Scope
from service.errors import InvalidFields, StaleVersion
from service.models import Campaign, Place, Site
from service.support import campaigns, lines
from service.support.campaigns import Draft
from service.support.lines import Lines
from service.web import campaign_forms, campaign_previews, current, forms, words
from service.web.campaign_forms import Typed
from service.web.campaigns import MOST_VARIANTS
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import show

HOME = "/review/settings/support"
PLACES = {
    Place.BLOCK: lazy_gettext("In the article, where the page has a place for it"),
    Place.THANKS: lazy_gettext("Under the thanks for a correction"),
    Place.BAR: lazy_gettext("A quiet bar at the foot, from the second page on"),
}
QUOTE_FROM = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One campaign on the list and its bar on the time line, in hundredths of its width."""

    campaign: Campaign
    status: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """The time line: its two ends, where on it this moment is, and a bar for each campaign."""

    first: datetime
    last: datetime
    now: float
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Opened:
    """A campaign's form: what is in it, what is wrong with it, and which version was seen."""

    key: str
    form: Typed
    version: int
    errors: dict[str, str] = field(default_factory=dict)
    message: str | None = None


@blueprint.get(HOME)
@signed_in(Scope.PUBLISH)
def support(who: Principal) -> Answer:
    """All campaigns, on a time line and as a list, and the two lines."""
    return _home(who)


@blueprint.get("/review/settings/campaigns")
@signed_in(Scope.PUBLISH)
def campaigns_page(who: Principal) -> Answer:
    """The same page by the name of what is on it."""
    return redirect(HOME)


@blueprint.post(HOME)
@signed_in(Scope.PUBLISH)
def change_support_lines(who: Principal) -> Answer:
    """Keep the appeal and the rule for quoting."""
    form = request.form
    wanted = Lines(
        appeal_to=form.get("appeal_to") or None,
        appeal_texts=_by_locale(form, "appeal_texts"),
        quote_from=_count(form.get("quote_from", "")) if form.get("quotes") else None,
        quote_texts=_by_locale(form, "quote_texts"),
    )
    try:
        with current.database().write() as session:
            site = session.get_one(Site, who.site_id)
            seen = _count(form.get("version", "0"))
            lines.put(session, site, wanted, by=who.label, now=current.now(), seen=seen)
    except InvalidFields as refusal:
        errors = {error["pointer"][1:]: gettext(error["detail"]) for error in refusal.errors}
        return _home(who, typed=form, errors=errors), refusal.status
    except StaleVersion as refusal:
        return _home(who, typed=form, message=words.refused(refusal)), refusal.status
    return redirect(f"{HOME}?saved=lines", 303)


@blueprint.get(f"{HOME}/new")
@signed_in(Scope.PUBLISH)
def new_campaign(who: Principal) -> Answer:
    """An empty form."""
    empty = Draft("", [{"key": "a", "weight": 1, "texts": {}}])
    return _form(who, Opened("new", campaign_forms.filled(empty, ZoneInfo("UTC")), 0))


@blueprint.get(f"{HOME}/<campaign_key>")
@signed_in(Scope.PUBLISH)
def campaign(who: Principal, campaign_key: str) -> Answer:
    """The form of a campaign."""
    with current.database().read() as session:
        found = campaigns.find(session, who.site_id, campaign_key)
        zone = _zone(session, who)
    form = campaign_forms.filled(found, zone)
    return _form(who, Opened(campaign_key, form, found.version))


@blueprint.post(f"{HOME}/<campaign_key>")
@signed_in(Scope.PUBLISH)
def change_campaign(who: Principal, campaign_key: str) -> Answer:
    """Keep a campaign; or add a variant to the form or see it, which keeps nothing yet."""
    form: Typed = MultiDict(request.form)
    opened = Opened(campaign_key, form, _count(form.get("version", "0")))
    with current.database().read() as session:
        if campaign_key not in campaigns.RESERVED:
            campaigns.find(session, who.site_id, campaign_key)
        zone = _zone(session, who)
    if "add" in form:
        return _form(who, _with_variant(opened))
    if "preview" in form:
        return _form(who, opened)
    try:
        draft = campaign_forms.draft(form, zone)
        with current.database().write() as session:
            key = campaign_key
            if key in campaigns.RESERVED:
                key = campaigns.free_key(session, who.site_id, draft.name)
            campaigns.put(
                session,
                who.site_id,
                key,
                draft,
                by=who.label,
                now=current.now(),
                versions=frozenset({opened.version}),
            )
    except InvalidFields as refusal:
        errors = campaign_forms.told(refusal, form)
        return _form(who, Opened(campaign_key, form, opened.version, errors)), refusal.status
    except StaleVersion as refusal:
        return _form(who, _stale(who, opened)), refusal.status
    return redirect(f"{HOME}?saved={key}", 303)


@blueprint.post(f"{HOME}/<campaign_key>/removal")
@signed_in(Scope.PUBLISH)
def remove_campaign(who: Principal, campaign_key: str) -> Answer:
    """Remove a campaign with its counts."""
    with current.database().write() as session:
        campaigns.remove(session, who.site_id, campaign_key, by=who.label, now=current.now())
    return redirect(f"{HOME}?saved=removed", 303)


def _home(who: Principal, **values: Any) -> str:
    with current.database().read() as session:
        site = session.get_one(Site, who.site_id)
        line = _line(campaigns.of_site(session, site.id), current.now())
        kept = lines.find(session, site.id)
        texts = {**kept.appeal_texts, **kept.quote_texts} if kept else {}
        return show(
            session,
            who,
            "support",
            line=line,
            rows=line.rows,
            kept=kept,
            languages=list(dict.fromkeys([*_languages(site), *texts])),
            quote_from=QUOTE_FROM,
            saved=request.args.get("saved"),
            **values,
        )


def _form(who: Principal, opened: Opened) -> str:
    with current.database().read() as session:
        site = session.get_one(Site, who.site_id)
        languages = list(
            dict.fromkeys([*_languages(site), *campaign_forms.languages_in(opened.form)])
        )
        return show(
            session,
            who,
            "support",
            template="campaign",
            opened=opened,
            form=opened.form,
            variants=campaign_forms.variants_in(opened.form),
            most_variants=MOST_VARIANTS,
            languages=languages,
            preview=campaign_previews.preview(opened.form, site, languages),
            picture=campaign_previews.PICTURE,
            kinds=PLACES,
            zone=_zone(session, who).key,
            errors=opened.errors,
            message=opened.message,
        )


def _stale(who: Principal, opened: Opened) -> Opened:
    """What was typed, on top of what somebody else has kept in the meantime."""
    with current.database().read() as session:
        theirs = campaigns.find(session, who.site_id, opened.key)
        before = campaign_forms.filled(theirs, _zone(session, who))
    changed = [
        name
        for name in before
        if list(filter(None, before.getlist(name))) != list(filter(None, opened.form.getlist(name)))
    ]
    message = gettext(
        "Somebody changed this campaign in the meantime. Your text is below and not kept yet; it "
        "differs in: %(fields)s. Saving again puts yours in the place of theirs.",
        fields=", ".join(changed) or gettext("nothing"),
    )
    return Opened(opened.key, opened.form, theirs.version, message=message)


def _with_variant(opened: Opened) -> Opened:
    number = campaign_forms.variants_in(opened.form)
    if number >= MOST_VARIANTS:
        return opened
    taken = {opened.form.get(f"variants/{n}/key") for n in range(number)}
    free = next(letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in taken)
    opened.form[f"variants/{number}/key"] = free
    opened.form[f"variants/{number}/weight"] = "1"
    return opened


def _line(found: Sequence[Campaign], now: datetime) -> Line:
    """From a month before to a quarter after this moment, or further where a campaign does."""
    known = [at for each in found for at in (each.starts_at, each.ends_at) if at]
    first = max(min([*known, now - timedelta(days=30)]), now - timedelta(days=365))
    last = min(max([*known, now + timedelta(days=90)]), now + timedelta(days=365))

    def at(moment: datetime | None, default: float) -> float:
        if moment is None:
            return default
        return round(min(max((moment - first) / (last - first), 0), 1) * 100, 2)

    ends = [(at(each.starts_at, 0), at(each.ends_at, 100)) for each in found]
    rows = [
        Row(each, _status(each, now), left, right - left)
        for each, (left, right) in zip(found, ends, strict=True)
    ]
    return Line(first, last, at(now, 0), rows)


def _status(campaign: Campaign, now: datetime) -> str:
    if not campaign.enabled:
        return "off"
    if campaign.ends_at and campaign.ends_at <= now:
        return "over"
    return "planned" if campaign.starts_at and campaign.starts_at > now else "running"


def _languages(site: Site) -> list[str]:
    """The site's own language first: what every other falls back to."""
    return list(dict.fromkeys([site.language, *site.languages]))


def _zone(session: Session, who: Principal) -> ZoneInfo:
    return ZoneInfo(session.get_one(Site, who.site_id).time_zone)


def _by_locale(form: MultiDict[str, str], name: str) -> dict[str, str]:
    given = {
        field.removeprefix(f"{name}/"): " ".join(text.split())
        for field, text in form.items()
        if field.startswith(f"{name}/")
    }
    return {locale: text for locale, text in given.items() if text}


def _count(text: str) -> int:
    return forms.number(text) or 0
