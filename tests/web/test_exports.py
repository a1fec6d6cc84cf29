from datetime import datetime

from flask.testing import FlaskClient

from service.db import Database
from service.desk.exports import FORMATS
from service.desk.filters import Filters
from service.models import Site
from tests.reporting import report


def test_exports_are_streamed_as_files_and_filtered(
    client: FlaskClient, database: Database, site: Site, now: datetime, bearer: dict[str, str]
) -> None:
    for number in range(3):
        report(database, site, now, exact=f"word {number}", start=None, website="x" * (number == 2))
    for ending, media_type in (("csv", "text/csv"), ("jsonl", "application/jsonl")):
        for query, filters in (
            ("", Filters()),
            ("?suspected=true", Filters(suspected=True)),
            ("?q=word 1", Filters(q="word 1")),
        ):
            answer = client.get(f"/api/v1/corrections.{ending}{query}", headers=bearer)
            expected = "".join(FORMATS[ending].parts(database, site.id, filters))
            assert (answer.status_code, answer.text) == (200, expected)
            assert answer.content_type == f"{media_type}; charset=utf-8"
            assert answer.headers["Content-Disposition"] == (
                f'attachment; filename="corrections.{ending}"'
            )
            assert "Content-Length" not in answer.headers


def test_export_with_a_filter_that_is_none_is_refused(
    client: FlaskClient, bearer: dict[str, str]
) -> None:
    answer = client.get("/api/v1/corrections.csv?state=closed", headers=bearer)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/state"]
