import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import tokens
from service.db import Database
from service.models import Editor, Site
from tests.reporting import report

Headers = dict[str, str]
FIELDS = {
    "id", "state", "version", "suspected", "article", "selector", "anchor", "suggestions",
    "wording", "report_count",
        "spam", "reports", "category", "assignee", "duplicate_of", "public_note",
    "publication", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def correction_id(database: Database, site: Site, now: datetime) -> UUID:
    return report(database, site, now)


@pytest.fixture
def url(correction_id: UUID) -> str:
    return f"/api/v1/corrections/{correction_id}"


def scoped(database: Database, site: Site, now: datetime, *scopes: str) -> Headers:
    with database.write() as session:
        return {"Authorization": f"Bearer {tokens.create(session, site, scopes, now=now)[1]}"}


def test_list_shows_corrections_whole(
    client: FlaskClient, bearer: Headers, correction_id: UUID
) -> None:
    answer = client.get("/api/v1/corrections?state=new", headers=bearer)
    assert answer.status_code == 200
    assert answer.headers.get("Link") is None
    assert answer.json["next"] is None
    [item] = answer.json["items"]
    assert set(item) == FIELDS
    assert item["id"] == str(correction_id)
    assert item["selector"] == [
        {"type": "TextQuoteSelector", "exact": "wrold", "prefix": "hello ", "suffix": " text"},
        {"type": "TextPositionSelector", "start": 6, "end": 11},
    ]
    assert item["suggestions"] == [{"text": "world", "count": 1}]
    assert item["anchor"] == {"state": "exact", "start": 6, "end": 11}


def test_list_is_walked_by_its_links(
    client: FlaskClient, database: Database, site: Site, bearer: Headers, now: datetime
) -> None:
    made = [report(database, site, now, exact=word, start=None) for word in "abcde"]
    seen, where = [], "/api/v1/corrections?sort=oldest&limit=2&q=&state=new"
    while where:
        answer = client.get(where, headers=bearer)
        seen += [UUID(item["id"]) for item in answer.json["items"]]
        link = answer.headers.get("Link", "")
        assert (answer.json["next"] is None) == (link == "")
        where = link.removeprefix("<").removesuffix('>; rel="next"')
    assert seen == made


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=x", "state=open", "sort=best", "suspected=maybe",
     "q=%00", "assignee=%00"],
)  # fmt: skip
def test_bad_query_is_refused_by_name(client: FlaskClient, bearer: Headers, query: str) -> None:
    answer = client.get(f"/api/v1/corrections?{query}", headers=bearer)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{query.partition('=')[0]}"]


def test_one_is_tagged_with_its_version(client: FlaskClient, bearer: Headers, url: str) -> None:
    answer = client.get(url, headers=bearer)
    assert (answer.status_code, answer.headers["ETag"], answer.json["version"]) == (200, '"1"', 1)
    unchanged = client.get(url, headers={**bearer, "If-None-Match": '"1"'})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    client.patch(url, json={"category": "fact"}, headers=bearer)
    changed = client.get(url, headers={**bearer, "If-None-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')


def test_move_answers_with_the_correction(client: FlaskClient, bearer: Headers, url: str) -> None:
    sent = {"to": "accepted", "reason": "clear", "suggestion": "World", "public_note": "Thanks"}
    answer = client.post(f"{url}/moves", json=sent, headers={**bearer, "If-Match": '"1"'})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert [answer.json[name] for name in ("state", "version", "wording", "public_note")] == [
        "accepted",
        2,
        "World",
        "Thanks",
    ]


@pytest.mark.parametrize(
    ("if_match", "status"),
    [('"1"', 200), ("*", 200), ('"9", "1"', 200), ('"2"', 412), ('W/"1"', 412), ('"x"', 412),
     ('"99999999999999999999"', 412), ("1", 422), ('"1', 422), ("", 422)],
)  # fmt: skip
def test_if_match_guards_a_move(
    client: FlaskClient, bearer: Headers, url: str, if_match: str, status: int
) -> None:
    answer = client.post(
        f"{url}/moves", json={"to": "accepted"}, headers={**bearer, "If-Match": if_match}
    )
    assert answer.status_code == status
    state = client.get(url, headers=bearer).json["state"]
    assert state == ("accepted" if status == 200 else "new")


def test_if_match_guards_a_change(client: FlaskClient, bearer: Headers, url: str) -> None:
    stale = client.patch(url, json={"category": "fact"}, headers={**bearer, "If-Match": '"7"'})
    assert (stale.status_code, stale.json["type"]) == (412, "/problems/stale-version")


def test_move_that_is_not_allowed_says_who_did_what(
    client: FlaskClient, bearer: Headers, url: str
) -> None:
    client.post(f"{url}/moves", json={"to": "fixed"}, headers=bearer)
    answer = client.post(f"{url}/moves", json={"to": "rejected"}, headers=bearer)
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert "token:tests moved it from new" in answer.json["detail"]


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [({}, ["/to"]), ({"to": "done"}, ["/to"]), ({"to": "new", "reason": 1}, ["/reason"]),
     ({"to": "new", "more": 1}, ["/more"]), ({"to": "spam", "public_note": "x" * 2001}, ["/public_note"])],
)  # fmt: skip
def test_bad_move_is_refused_by_name(
    client: FlaskClient, bearer: Headers, url: str, sent: Any, pointers: list[str]
) -> None:
    answer = client.post(f"{url}/moves", json=sent, headers=bearer)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == pointers


def test_change_sets_and_clears(
    client: FlaskClient, bearer: Headers, editor: Editor, url: str
) -> None:
    sent = {"assignee": editor.email, "category": "fact", "public_note": "We look."}
    answer = client.patch(url, json=sent, headers=bearer)
    assert answer.status_code == 200
    assert {name: answer.json[name] for name in sent} == sent
    cleared = client.patch(url, json=dict.fromkeys(sent), headers=bearer)
    assert {name: cleared.json[name] for name in sent} == dict.fromkeys(sent)


def test_bulk_move_tells_each_outcome(
    client: FlaskClient, bearer: Headers, correction_id: UUID
) -> None:
    ids = [str(correction_id), str(uuid4()), "no id", str(correction_id)]
    answer = client.post(
        "/api/v1/corrections/moves", json={"ids": ids, "to": "spam"}, headers=bearer
    )
    assert answer.status_code == 200
    assert [(each["id"], each["status"]) for each in answer.json["outcomes"]] == list(
        zip(ids, [200, 404, 404, 409], strict=True)
    )
    assert [each["problem"] is None for each in answer.json["outcomes"]] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("ids", [[], ["x"] * 201, "x", [1], None])
def test_bulk_move_of_none_or_too_many_is_refused(
    client: FlaskClient, bearer: Headers, ids: Any
) -> None:
    answer = client.post(
        "/api/v1/corrections/moves", json={"ids": ids, "to": "spam"}, headers=bearer
    )
    assert answer.status_code == 422


def calls(url: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", url, None),
        ("PATCH", url, {"category": "fact"}),
        ("POST", f"{url}/moves", {"to": "accepted"}),
    ]


def test_other_site_finds_nothing(
    client: FlaskClient, other_bearer: Headers, bearer: Headers, url: str, correction_id: UUID
) -> None:
    for method, path, sent in calls(url):
        assert client.open(path, method=method, json=sent, headers=other_bearer).status_code == 404
    assert client.get("/api/v1/corrections", headers=other_bearer).json["items"] == []
    bulk = client.post(
        "/api/v1/corrections/moves",
        json={"ids": [str(correction_id)], "to": "spam"},
        headers=other_bearer,
    )
    assert bulk.json["outcomes"][0]["status"] == 404
    assert client.get(url, headers=bearer).json["version"] == 1


def test_malformed_id_is_not_found(client: FlaskClient, bearer: Headers) -> None:
    for method, path, sent in calls("/api/v1/corrections/no-id"):
        answer = client.open(path, method=method, json=sent, headers=bearer)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_nobody_is_asked_for_a_token_before_anything_else(client: FlaskClient, url: str) -> None:
    for method, path, _ in [*calls(url), ("GET", "/api/v1/corrections?limit=x", None)]:
        assert client.open(path, method=method, json={"bad": 1}).status_code == 401


def test_scopes_are_kept_apart(
    client: FlaskClient, database: Database, site: Site, now: datetime, url: str
) -> None:
    reader = scoped(database, site, now, "read")
    reviewer = scoped(database, site, now, "review")
    answers = {
        name: [
            client.open(path, method=method, json=sent, headers=headers).status_code
            for method, path, sent in calls(url)
        ]
        for name, headers in [("read", reader), ("review", reviewer)]
    }
    assert answers == {"read": [200, 403, 403], "review": [403, 200, 200]}


def test_of_two_editors_at_once_one_is_told_so(app: Flask, bearer: Headers, url: str) -> None:
    barrier = threading.Barrier(2)

    def decide(to: str) -> int:
        client = app.test_client()
        barrier.wait()
        return client.post(
            f"{url}/moves", json={"to": to}, headers={**bearer, "If-Match": '"1"'}
        ).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, ["accepted", "rejected"])) == [200, 412]


def test_reference_names_the_token_and_every_route(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    mine = {
        (path, method): operation.get("security")
        for path, item in paths.items()
        for method, operation in item.items()
        if path.startswith("/api/v1/corrections") and method != "parameters"
    }
    one = "/api/v1/corrections/{correction_id}"
    assert mine == {
        ("/api/v1/corrections", "get"): [{"bearer": []}],
        ("/api/v1/corrections.csv", "get"): [{"bearer": []}],
        ("/api/v1/corrections.jsonl", "get"): [{"bearer": []}],
        (one, "get"): [{"bearer": []}],
        (one, "patch"): [{"bearer": []}],
        (f"{one}/moves", "post"): [{"bearer": []}],
        (f"{one}/apply", "post"): [{"bearer": []}],
        (f"{one}/publication", "put"): [{"bearer": []}],
        (f"{one}/publication", "delete"): [{"bearer": []}],
        ("/api/v1/corrections/moves", "post"): [{"bearer": []}],
    }
