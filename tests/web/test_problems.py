"""Refusals of what no database takes."""

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.models import Editor
from tests.conftest import ORIGIN
from tests.web.test_pages import send, sign_in

NOWHERE = [
    "/api/v1/sites/a%00b/widget",
    "/api/v1/sites/a%00b/reports",
    "/record/a%00",
    "/report/a%00",
    "/mail/a%00/x",
    "/static/a%00",
]


@pytest.mark.parametrize("path", [*NOWHERE, "/review/settings/support/a%00"])
def test_nothing_is_where_a_path_has_nul(
    client: FlaskClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get(path, headers={"Origin": ORIGIN}).status_code == 404
    assert client.post(path, json={}, headers={"Origin": ORIGIN}).status_code == 404
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_nul_in_a_form_is_nobodys_fault_but_the_senders(
    client: FlaskClient, admin: Editor, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in(client, admin)
    unknown = 404 if database.is_sqlite else 422
    assert send(client, "/review/site", site="a\0").status_code == unknown
    found = send(client, "/review/settings/readers/find", email="nobody\0@news.example")
    assert "Nothing is kept with this address." in found.text
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
