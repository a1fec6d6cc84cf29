from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.accounts import tokens
from service.db import Database
from service.models import Site
from service.snapshots import instant
from tests.reporting import report

Headers = dict[str, str]
ENTRY = {"kind": "correction", "said": "wrold", "says": "world", "note": "A slip.", "thanks": "R."}


@pytest.fixture
def url(database: Database, site: Site, now: datetime) -> str:
    return f"/api/v1/corrections/{report(database, site, now)}"


@pytest.fixture
def fixed(client: FlaskClient, bearer: Headers, url: str) -> str:
    answer = client.post(f"{url}/moves", headers=bearer, json={"to": "fixed"})
    assert answer.status_code == 200
    return url


def listed(client: FlaskClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/api/v1/sites/the-daily/record").json["items"]
    return items


def test_put_publishes_and_answers_the_correction(
    client: FlaskClient, bearer: Headers, fixed: str, now: datetime
) -> None:
    answer = client.put(f"{fixed}/publication", headers=bearer, json=ENTRY)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"3"')
    [entry] = listed(client)
    assert answer.json["publication"] == {
        **ENTRY,
        "id": entry["id"],
        "version": 1,
        "published_at": instant(now),
        "changed_at": None,
        "withdrawn_at": None,
        "withdrawn_reason": None,
    }
    assert client.get(fixed, headers=bearer).json == answer.json
    assert {name: entry[name] for name in ENTRY} == ENTRY


def test_put_again_changes_the_entry(client: FlaskClient, bearer: Headers, fixed: str) -> None:
    client.put(f"{fixed}/publication", headers=bearer, json=ENTRY)
    changed = {"kind": "retraction", "note": "  All of it was wrong.  ", "said": " "}
    answer = client.put(f"{fixed}/publication", headers=bearer, json=changed)
    assert answer.json["publication"]["version"] == 2
    [entry] = listed(client)
    assert (entry["kind"], entry["said"], entry["says"], entry["note"], entry["thanks"]) == (
        "retraction", None, None, "All of it was wrong.", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"kind": None}, ["/kind"]),
        ({"kind": "apology"}, ["/kind"]),
        ({"said": "x" * 2001, "thanks": "x" * 201}, ["/said", "/thanks"]),
        ({"note": "\0"}, ["/note"]),
        ({"says": 3}, ["/says"]),
        ({"by": "me"}, ["/by"]),
        ({"says": None, "note": None}, ["/says"]),
        ({"says": "wrold", "note": " "}, ["/says"]),
        ({"said": None, "says": ""}, ["/said"]),
    ],
)
def test_put_refuses_bad_fields_by_name(
    client: FlaskClient, bearer: Headers, fixed: str, changes: dict[str, Any], pointers: list[str]
) -> None:
    answer = client.put(f"{fixed}/publication", headers=bearer, json={**ENTRY, **changes})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert sorted(error["pointer"] for error in answer.json["errors"]) == pointers
    assert listed(client) == []


def test_put_and_delete_ask_for_the_version_that_was_seen(
    client: FlaskClient, bearer: Headers, fixed: str
) -> None:
    stale, newest = {**bearer, "If-Match": '"1"'}, {**bearer, "If-Match": '"2"'}
    assert client.put(f"{fixed}/publication", headers=stale, json=ENTRY).status_code == 412
    assert client.put(f"{fixed}/publication", headers=newest, json=ENTRY).status_code == 200
    answer = client.delete(f"{fixed}/publication", headers=newest)
    assert (answer.status_code, answer.json["type"]) == (412, "/problems/stale-version")
    assert [entry["withdrawn_at"] for entry in listed(client)] == [None]


def test_put_refuses_what_nobody_has_decided_on(
    client: FlaskClient, bearer: Headers, url: str
) -> None:
    answer = client.put(f"{url}/publication", headers=bearer, json=ENTRY)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/move-not-allowed")


def test_delete_leaves_a_trace_with_the_reason(
    client: FlaskClient, bearer: Headers, fixed: str, now: datetime
) -> None:
    client.put(f"{fixed}/publication", headers=bearer, json=ENTRY)
    answer = client.delete(f"{fixed}/publication?reason=It+was+right.", headers=bearer)
    assert (answer.status_code, answer.data) == (204, b"")
    [entry] = listed(client)
    assert (entry["said"], entry["withdrawn_at"], entry["withdrawn_reason"]) == (
        None, instant(now), "It was right.",
    )  # fmt: skip
    assert client.delete(f"{fixed}/publication", headers=bearer).status_code == 404


def test_publishing_needs_the_scope_publish(
    client: FlaskClient, database: Database, site: Site, fixed: str, now: datetime
) -> None:
    for scope, status in (("read", 403), ("review", 403), ("admin", 403), ("publish", 200)):
        with database.write() as session:
            _, secret = tokens.create(session, site, [scope], now=now)
        headers = {"Authorization": f"Bearer {secret}"}
        answer = client.put(f"{fixed}/publication", headers=headers, json=ENTRY)
        assert (scope, answer.status_code) == (scope, status)


def test_publishing_keeps_to_ones_own_site(
    client: FlaskClient, other_bearer: Headers, bearer: Headers, fixed: str
) -> None:
    assert client.put(f"{fixed}/publication", headers=other_bearer, json=ENTRY).status_code == 404
    client.put(f"{fixed}/publication", headers=bearer, json=ENTRY)
    assert client.delete(f"{fixed}/publication", headers=other_bearer).status_code == 404
    assert [entry["says"] for entry in listed(client)] == ["world"]


def test_url_of_the_entry_is_in_the_record(
    client: FlaskClient, bearer: Headers, fixed: str
) -> None:
    made = client.put(f"{fixed}/publication", headers=bearer, json=ENTRY).json["publication"]
    [entry] = listed(client)
    assert entry["url"] == f"https://localhost/record/the-daily/{UUID(made['id'])}"
