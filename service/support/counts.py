"""How often an ask was seen, followed or closed: a number a day, and nothing about people."""

from datetime import datetime

from sqlalchemy.orm import Session

from service.db import inserting
from service.errors import invalid
from service.models import Campaign, CountKind, Place, SupportCount


def note(
    session: Session,
    campaign: Campaign,
    variant: str,
    place: Place,
    kind: CountKind,
    *,
    now: datetime,
) -> None:
    """Count one; raises InvalidFields where the campaign has no such variant or place."""
    if all(known["key"] != variant for known in campaign.variants):
        raise invalid("/variant", "The campaign has no such variant.")
    if place not in campaign.places:
        raise invalid("/place", "The campaign is not shown in this place.")
    session.execute(
        inserting(session, SupportCount)
        .values(
            campaign_id=campaign.id,
            day=now.date(),
            variant=variant,
            place=place,
            kind=kind,
            total=1,
        )
        .on_conflict_do_update(
            index_elements=["campaign_id", "day", "variant", "place", "kind"],
            set_={"total": SupportCount.total + 1},
        )
    )
