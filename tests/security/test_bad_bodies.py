"""Bodies that break parsers and databases: refused with a problem, never an error of ours."""

import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.db import Database
from service.models import Report, Site
from tests.conftest import ORIGIN

VALID = {
    "target": {
        "source": f"{ORIGIN}/a",
        "selector": [
            {"type": "TextQuoteSelector", "exact": "wrold", "prefix": "", "suffix": ""},
            {"type": "TextPositionSelector", "start": 0, "end": 5},
        ],
    },
    "suggestion": "world",
}


def with_raw(pointer: str, raw: str) -> bytes:
    """The valid body with one value replaced by raw JSON text."""
    marked = json.loads(json.dumps(VALID))
    place = marked
    *path, last = pointer.strip("/").split("/")
    for step in path:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = "@@"
    return json.dumps(marked).replace('"@@"', raw).encode()


MALFORMED = {
    "empty": b"",
    "not json": b"{",
    "deep arrays": b"[" * 100_000,
    "deep arrays, closed": b"[" * 30_000 + b"]" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep value": with_raw("/suggestion", "[" * 20_000 + "]" * 20_000),
    "integer of 10,000 digits": with_raw("/target/selector/1/start", "9" * 10_000),
    "NaN": with_raw("/target/selector/1/start", "NaN"),
    "Infinity": with_raw("/target/selector/1/end", "-Infinity"),
    "UTF-16": json.dumps(VALID).encode("utf-16"),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + json.dumps(VALID).encode(),
    "bytes that are no UTF-8": with_raw(
        "/suggestion", '"\udcff"'.encode("utf-8", "surrogatepass").decode("latin-1")
    )
    .decode()
    .encode("latin-1"),
    "raw control character": with_raw("/suggestion", '"a\nb"'),
}

INVALID = {
    "array at the root": b"[]",
    "string at the root": b'"text"',
    "null at the root": b"null",
    "number at the root": b"1",
    "NUL": with_raw("/suggestion", r'"a\u0000b"'),
    "NUL in the excerpt": with_raw("/target/selector/0/exact", r'"a\u0000b"'),
    "NUL in the title": with_raw(
        "/target", r'{"source": "https://news.example/a", "title": "\u0000"}'
    ),
    "lone high surrogate": with_raw("/suggestion", r'"\ud83d"'),
    "lone low surrogate": with_raw("/target/selector/0/suffix", r'"\ude00"'),
    "surrogate in a name": with_raw(
        "/target", r'{"source": "https://news.example/a", "\ud83d": 1}'
    ),
    "number for text": with_raw("/suggestion", "7"),
    "object for text": with_raw("/suggestion", "{}"),
    "text for object": with_raw("/target", '"text"'),
    "object for list": with_raw("/target/selector", "{}"),
    "list in the list": with_raw("/target/selector/0", "[]"),
    "null in the list": with_raw("/target/selector/0", "null"),
    "type that is a list": with_raw("/target/selector/0/type", "[]"),
    "fraction": with_raw("/target/selector/1/start", "1.5"),
    "true for a number": with_raw("/target/selector/1/start", "true"),
    "beyond 64 bits": with_raw("/target/selector/1/end", str(2**70)),
    "exponent beyond floats": with_raw("/target/selector/1/end", "1e999"),
}


def send(client: FlaskClient, site: Site, raw: bytes, **headers: str) -> tuple[int, str]:
    answer = client.post(
        f"/api/v1/sites/{site.key}/reports",
        data=raw,
        headers={
            "Origin": ORIGIN,
            "Idempotency-Key": "k",
            "Content-Type": "application/json",
            **headers,
        },
    )
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    return answer.status_code, answer.json["type"].rpartition("/")[2]


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_body_is_400(client: FlaskClient, site: Site, name: str) -> None:
    raw = MALFORMED[name]
    expected = (413, "too-large") if len(raw) > 65536 else (400, "malformed-json")
    assert send(client, site, raw) == expected


@pytest.mark.parametrize("name", INVALID)
def test_invalid_body_is_422(
    client: FlaskClient, site: Site, database: Database, name: str
) -> None:
    assert send(client, site, INVALID[name]) == (422, "invalid-fields")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Report)) == 0


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain;charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/problem+json",
        "*/*",
        "",
    ],
)
def test_other_media_type_is_415(client: FlaskClient, site: Site, kind: str) -> None:
    raw = json.dumps(VALID).encode()
    assert send(client, site, raw, **{"Content-Type": kind}) == (415, "wrong-media-type")


def test_a_megabyte_is_413(client: FlaskClient, site: Site) -> None:
    assert send(client, site, with_raw("/suggestion", '"' + "x" * 2**20 + '"')) == (
        413,
        "too-large",
    )


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "ключ", "a b", "\x7f"])
def test_bad_idempotency_key_is_422(client: FlaskClient, site: Site, key: str) -> None:
    raw = json.dumps(VALID).encode()
    assert send(client, site, raw, **{"Idempotency-Key": key}) == (422, "invalid-fields")
