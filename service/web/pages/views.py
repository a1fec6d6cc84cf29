"""Views of the queue: an address says all of what is looked at."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import marshmallow as ma
from flask import request
from flask_babel import format_decimal
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from service.desk import queue
from service.desk.filters import Filters
from service.models import State
from service.web.bodies import Parser
from service.web.corrections import FiltersIn

PASSING = {"cursor", "done", "did", "failed", "id"}
"""Arguments that belong to one look, not to the view."""


@dataclass(frozen=True, slots=True)
class View:
    """What the address asks for: which corrections, in which order, from where."""

    tab: str
    filters: Filters
    sort: queue.Sort
    limit: int
    cursor: str | None

    def lists(self, item: dict[str, Any]) -> bool:
        """Whether a correction stands under this tab."""
        is_doubted = self.filters.suspected in {None, item["suspected"]}
        return is_doubted and item["state"] == self.filters.state


class ViewParser(Parser):
    """Reads an address as a form writes it: what was left empty was not asked for."""

    def load_querystring(self, req: Any, schema: ma.Schema) -> Any:
        """The arguments that are not empty."""
        return MultiDict([each for each in req.args.items(multi=True) if each[1]])


def asked() -> View:
    query = ViewParser().parse(FiltersIn(), request, location="querystring")
    asked: Filters = query["filters"]
    state = asked.state or State.NEW
    # What was suspected and then called spam is spam, no longer a suspicion.
    suspected = None if state is State.SPAM else asked.suspected
    return View(
        "suspected" if suspected else state.value,
        replace(asked, state=state, suspected=suspected),
        query["sort"],
        query["limit"],
        query["cursor"],
    )


def counts(session: Session, site_id: UUID, view: View) -> dict[str, str]:
    """How many there are under each tab of the view, as they are shown."""
    counted = queue.count(session, site_id, view.filters)
    return {
        name: format_decimal(each.number) + ("" if each.is_whole else "+")
        for name, each in counted.items()
    }


def at(**changed: str | None) -> str:
    """This view's address with some arguments changed or, where None, left out."""
    kept = {name: value for name, value in request.args.items() if name not in PASSING}
    arguments = {name: value for name, value in {**kept, **changed}.items() if value}
    return "/review" + (f"?{urlencode(arguments)}" if arguments else "")
