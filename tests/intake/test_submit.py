from datetime import datetime

from sqlalchemy import select

from service import intake, snapshots
from service.db import Database
from service.intake import NewReport
from service.models import Event, Site
from tests.conftest import ORIGIN


def send(database: Database, site: Site, suggestion: str, now: datetime) -> intake.Receipt:
    """Report one passage with everything that an event tells of."""
    new = NewReport(
        f"{ORIGIN}/a",
        title="A story",
        lang="en",
        exact="wrold",
        prefix="hello ",
        suffix=" text",
        start=6,
        end=11,
        suggestion=suggestion,
        comment="See www.elsewhere.example",
        email="reader@example.org",
    )
    given = intake.Submission(site, new, suggestion, "a secret for tests", now)
    return database.write_together(intake.submit_all, given)


def test_events_tell_of_the_correction_as_it_is_read(
    database: Database, site: Site, now: datetime
) -> None:
    for suggestion in ("world", "globe"):
        receipt = send(database, site, suggestion, now)
        with database.read() as session:
            [read] = snapshots.of_corrections(
                session, [receipt.correction_id], reports=10, with_email=False
            )
            told = session.scalars(select(Event).order_by(Event.id)).all()
        assert told[-1].data == read
    assert [event.type for event in told] == [
        "report.created",
        "correction.created",
        "report.created",
    ]
    assert told[0].data == told[1].data
