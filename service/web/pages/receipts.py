"""What readers are told: the receipt of a report, and the pages that letters lead to."""

from flask import make_response, render_template

from service.catalogues import Texts
from service.models import Site
from service.record import answers
from service.record.answers import Waiting
from service.web import cors, current, forms, receipts
from service.web.cookies import Answer
from service.web.limits import limiter
from service.web.pages.frame import blueprint


@blueprint.get("/r/<token>")
@limiter.limit("120/minute")
def receipt(token: str) -> Answer:
    """What became of a reader's own report."""
    found, text = receipts.find(token)
    ask = receipts.ask(found, token, text.locale)
    return secret_page("receipt.html", text, site=found["site"], receipt=found, ask=ask)


@blueprint.get("/mail/<key>/<token>")
@limiter.limit("30/minute")
def mail(key: str, token: str) -> Answer:
    """Ask whoever reads the mail of an address; opening the page alone answers nothing."""
    return _page("mail.html", waiting=_waiting(token))


@blueprint.post("/mail/<key>/<token>")
@limiter.limit("30/minute")
def agree(key: str, token: str) -> Answer:
    """Write to this address when its reports are decided."""
    forms.check_origin()
    with current.database().write() as session:
        answers.confirm(session, cors.site(), token, secret=_secret_key(), now=current.now())
    current.parts().on_event()
    return _page("mail.html", waiting=_waiting(token))


@blueprint.get("/mail/<key>/<token>/stop")
@limiter.limit("30/minute")
def ask_to_stop_mail(key: str, token: str) -> Answer:
    """Ask whether no more is to be sent."""
    return _page("mail_stop.html", waiting=_waiting(token))


@blueprint.post("/mail/<key>/<token>/stop")
@limiter.limit("30/minute")
def stop_mail(key: str, token: str) -> Answer:
    """Erase the address, by the page's button or by a mail program's one click (RFC 8058)."""
    # No check of the origin: mail programs send none, and nothing rides on a cookie here.
    with current.database().write() as session:
        answers.stop(session, cors.site(), token, secret=_secret_key(), now=current.now())
    return _page("mail_stop.html", is_stopped=True)


def _waiting(token: str) -> Waiting:
    with current.database().read() as session:
        return answers.waiting(session, cors.site(), token, secret=_secret_key())


def _secret_key() -> str:
    return current.settings().secret_key


def _page(template: str, **values: object) -> Answer:
    site: Site = cors.site()
    return secret_page(template, receipts.spoken("letters", site), site=site, **values)


def secret_page(template: str, text: Texts, **values: object) -> Answer:
    """A page whose address is a secret."""
    made = make_response(
        render_template(template, text=text, lang=text.locale, dir=text.direction, **values)
    )
    made.headers["Referrer-Policy"] = "no-referrer"
    made.headers["X-Robots-Tag"] = "noindex"
    made.vary.add("Accept-Language")
    return made
