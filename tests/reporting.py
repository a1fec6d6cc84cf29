"""Reports as readers send them, put in by the intake's own verb."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from service import intake
from service.db import Database
from service.intake import NewReport
from service.models import Site


def report(
    database: Database,
    site: Site,
    now: datetime,
    *,
    key: str | None = None,
    address: str = "",
    **fields: Any,
) -> UUID:
    """Keep one report and return the id of its correction."""
    given = {
        "source": f"{site.origins[0]}/a",
        "title": "The bus is late",
        "lang": "en",
        "exact": "wrold",
        "prefix": "hello ",
        "suffix": " text",
        "start": 6,
        "suggestion": "world",
        **fields,
    }
    if given["exact"] is not None and given["start"] is not None:
        given.setdefault("end", given["start"] + len(given["exact"]))
    with database.write() as session:
        return intake.submit(
            session,
            site,
            NewReport(**given),
            key=key or uuid4().hex,
            secret="tests",
            address=address,
            now=now,
        ).correction_id
