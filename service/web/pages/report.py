"""The form about a whole page, as a page of ours: for AMP, and for readers without JavaScript."""

import secrets
from typing import Any

import marshmallow as ma
from flask import Request, make_response, redirect, render_template, request, url_for
from flask_limiter.errors import RateLimitExceeded
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service import addresses, catalogues, hashing, intake
from service.catalogues import Texts
from service.errors import InvalidFields, NotFound, Refusal
from service.intake import NewReport
from service.models import Site
from service.web import cors, forms, receipts, reports, strings
from service.web.cookies import Answer
from service.web.limits import REPORTS, limiter, report_limits, seconds_to_wait
from service.web.pages.frame import blueprint
from service.web.pages.receipts import secret_page
from service.web.schemas import ReportIn

FIELDS = ("url", "comment", "category", "email")
NAMES = {"/target/source": "url", "/comment": "comment", "/email": "email"}


class ReportParser(forms.FormParser):
    """Reads the form as the JSON report that the widget would send."""

    def load_form(self, req: Request, schema: ma.Schema) -> dict[str, Any]:
        """The report: a page, no passage."""
        sent = super().load_form(req, schema)
        return {
            "target": {"source": sent.get("url") or ""},
            **{name: sent.get(name) for name in ("comment", "category", "email", "website")},
        }


@blueprint.get("/report/<key>")
def report(key: str) -> Answer:
    """The form about the page that `url` names; without one, it is asked for."""
    address = request.args.get("url", "")
    texts = _texts(request.args.get("locale", ""))
    errors = {"url": texts.report("address_wrong", site=cors.site().name)}
    is_known = not address or _article(address)
    return _page(texts, {"url": address}, errors={} if is_known else errors)


@blueprint.post("/report/<key>")
def send_report(key: str) -> Answer:
    """Keep the message and go on to the thanks; a refused form comes back as it was written."""
    forms.check_origin()
    texts = _texts(request.form.get("locale", ""))
    sent = {name: request.form.get(name, "") for name in FIELDS}
    try:
        new = ReportParser().parse(ReportIn(), request, location="form")
        receipt = _keep(new)
    except RateLimitExceeded as refusal:
        wait = seconds_to_wait(refusal)
        message = texts.widget("too_many", -(-wait // 60))
        made = make_response(_page(texts, sent, message=message), 429)
        made.headers["Retry-After"] = str(wait)
        return made
    except Refusal as refusal:
        errors, others = _said(refusal, texts, sent)
        return make_response(_page(texts, sent, errors=errors, message=others), refusal.status)
    except (DBAPIError, PoolTimeout):
        return make_response(_page(texts, sent, message=texts.widget("down")), 503)
    # Going back or loading again then sends nothing again.
    before = receipt.already_reported or None
    locale = texts.widget.locale
    address = url_for(".report_sent", key=key, token=receipt.token, locale=locale, before=before)
    return redirect(address, 303)


@blueprint.get("/report/<key>/sent/<token>")
@limiter.limit("120/minute")
def report_sent(key: str, token: str) -> Answer:
    """Thanks for a message; where `before` others said the same, so is this."""
    found, _ = receipts.find(token)
    if found["site"].key != key:
        raise NotFound("There is no receipt at this address.")
    texts = _texts(request.args.get("locale", ""))
    return secret_page(
        "report_sent.html",
        texts.widget,
        page_text=texts.report,
        site=cors.site(),
        article=_article(found["article"]["url"]),
        follow=url_for(".receipt", token=token),
        already_reported=request.args.get("before", 0, type=int),
    )


@limiter.shared_limit(report_limits, scope=REPORTS)
def _keep(new: NewReport) -> intake.Receipt:
    # The same words sent twice are one report; other words from a form gone back to are another.
    key = hashing.fingerprint(f"{request.form.get('key', '')} {new.body_hash()}")
    return reports.keep_sent(new, key)


class _Spoken:
    """The texts of the form, which are the dialog's, and of the page around it."""

    def __init__(self, site: Site, *wanted: str) -> None:
        self.widget: Texts = catalogues.spoken("widget", site, *wanted)
        self.report: Texts = catalogues.spoken("report", site, *wanted)


def _texts(locale: str) -> _Spoken:
    return _Spoken(cors.site(), locale, *request.accept_languages.values())


def _article(address: str) -> str | None:
    """The canonical address of one of the site's pages, or none."""
    try:
        return addresses.article_address(address, None, cors.site().origins)
    except addresses.BadAddress:
        return None


def _page(
    texts: _Spoken, sent: dict[str, str], *, errors: dict[str, str] | None = None, message: str = ""
) -> str:
    site: Site = cors.site()
    return render_template(
        "report.html",
        lang=texts.widget.locale,
        dir=texts.widget.direction,
        text=texts.widget,
        page_text=texts.report,
        site=site,
        limits=strings.limits(site),
        sent=sent,
        article=_article(sent["url"]),
        errors=errors or {},
        message=message,
        key=request.form.get("key") or secrets.token_urlsafe(16),
    )


def _said(refusal: Refusal, texts: _Spoken, sent: dict[str, str]) -> tuple[dict[str, str], str]:
    """What is wrong by field, in the reader's language, and what belongs to no field."""
    errors = {
        NAMES[error["pointer"]]: _wrong(NAMES[error["pointer"]], error["detail"], texts, sent)
        for error in refusal.errors
        if error["pointer"] in NAMES
    }
    if errors and not sent["comment"].strip():
        errors["comment"] = texts.widget("empty")
    if errors and isinstance(refusal, InvalidFields):
        return errors, texts.widget("refused")
    return errors, f"{texts.widget('refused')} {refusal.detail}"


def _wrong(name: str, detail: str, texts: _Spoken, sent: dict[str, str]) -> str:
    if name == "url":
        return texts.report("address_wrong", site=cors.site().name)
    over = len(sent[name]) - strings.limits(cors.site())[name]
    if over > 0:
        return texts.widget("too_long", over)
    if name == "email":
        return texts.widget("email_wrong")
    return detail if sent[name].strip() else texts.widget("empty")
