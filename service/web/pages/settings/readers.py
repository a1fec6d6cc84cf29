"""What is kept with a reader's e-mail address: looked for, handed out, erased; and all exports."""

import json
from typing import Any

from flask import Response

from service.accounts.principals import Principal, Scope
from service.desk.filters import Filters
from service.intake import blocks
from service.record import readers as verbs
from service.web import current, exports, forms
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import show


@blueprint.get("/review/settings/readers")
@signed_in(Scope.ADMIN)
def readers(who: Principal) -> Answer:
    """How to find a reader, and how long what is kept."""
    return _page(who)


@blueprint.post("/review/settings/readers/find")
@signed_in(Scope.ADMIN)
def find_reader(who: Principal) -> Answer:
    """How many reports there are; the address stands in no URL and no log."""
    email = _email()
    with current.database().read() as session:
        found = verbs.kept(session, who.site_id, email) if email else []
    return _page(who, email=email, found=found)


@blueprint.post("/review/settings/readers/export")
@signed_in(Scope.ADMIN)
def export_reader(who: Principal) -> Answer:
    """All that is kept with the address, as a file."""
    with current.database().write() as session:
        found = verbs.hand_out(session, who.site_id, _email(), by=who.label, now=current.now())
    made = Response(json.dumps(found, ensure_ascii=False, indent=2), mimetype="application/json")
    made.headers["Content-Disposition"] = 'attachment; filename="reader.json"'
    return made


@blueprint.post("/review/settings/readers/erase")
@signed_in(Scope.ADMIN)
def erase_reader(who: Principal) -> Answer:
    """Erase the address everywhere."""
    with current.database().write() as session:
        erased = verbs.erase(session, who.site_id, _email(), by=who.label, now=current.now())
    return _page(who, erased=erased)


@blueprint.get("/review/settings/readers/corrections.csv")
@signed_in(Scope.ADMIN)
def table_of_corrections(who: Principal) -> Answer:
    """All corrections as a table."""
    return exports.download(who.site_id, "csv", Filters(suspected=None), start=exports.MARK)


@blueprint.get("/review/settings/readers/corrections.jsonl")
@signed_in(Scope.ADMIN)
def corrections_as_annotations(who: Principal) -> Answer:
    """All corrections as W3C annotations."""
    return exports.download(who.site_id, "jsonl", Filters(suspected=None))


def _email() -> str:
    return forms.storable_text("email")


def _page(who: Principal, **values: Any) -> str:
    with current.database().read() as session:
        kept_out = blocks.of_site(session, who.site_id, now=current.now())
        return show(session, who, "readers", blocks=kept_out, **values)
