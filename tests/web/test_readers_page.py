import csv
import io
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.db import Database
from service.models import Editor, Report, Site
from tests.reporting import report
from tests.web.test_pages import OURS, form_token, sign_in

HERE = "/review/settings/readers"
EMAIL = "reader@mail.example"


@pytest.fixture
def admins(client: FlaskClient, admin: Editor) -> FlaskClient:
    sign_in(client, admin)
    return client


def send(client: FlaskClient, what: str, email: str) -> str:
    sent = {"email": email, "form_token": form_token(client)}
    return client.post(f"{HERE}/{what}", data=sent, headers=OURS).text


def test_admin_finds_hands_out_and_erases_a_reader(
    admins: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    report(database, site, now, email=EMAIL, exact="<b>wrold</b>")
    assert "90 days at most" in admins.get(HERE).text
    found = send(admins, "find", EMAIL)
    assert "1 report came with this address." in found
    assert "&lt;b&gt;wrold&lt;/b&gt;" in found
    assert f'"email": "{EMAIL}"' in send(admins, "export", EMAIL)
    assert "Erased from 1 report." in send(admins, "erase", EMAIL)
    assert "Nothing is kept with this address." in send(admins, "find", EMAIL)
    assert "Nothing was kept with this address." in send(admins, "erase", EMAIL)
    with database.read() as session:
        assert session.scalars(select(Report.email)).all() == [None]
    log = admins.get("/review/settings/audit").text
    assert "Reader’s address erased" in log
    assert EMAIL not in log


def test_admin_downloads_all_corrections(
    admins: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    report(database, site, now, exact="слвоо", website="a robot")
    table = admins.get(f"{HERE}/corrections.csv")
    # Spreadsheets take it for UTF-8 by this mark.
    assert table.data.startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"), newline=""))
    assert (row["exact"], row["suspected"]) == ("слвоо", "yes")
    assert '"type":"Annotation"' in admins.get(f"{HERE}/corrections.jsonl").text


def test_editor_sees_nothing_of_readers(client: FlaskClient, editor: Editor) -> None:
    sign_in(client, editor)
    assert client.get(HERE).status_code == 403
    assert HERE not in client.get("/review/settings/account").text
