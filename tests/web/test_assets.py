"""The built files: kept for good by their hash, asked for again by their name."""

import re

import pytest
from flask.testing import FlaskClient


def test_file_by_its_hash_is_kept_for_good_and_by_its_name_asked_for_again(
    client: FlaskClient,
) -> None:
    by_name = client.get("/static/widget.js")
    mark = by_name.headers["ETag"].removeprefix("W/").strip('"')
    assert by_name.headers["Cache-Control"] == "no-cache"
    by_hash = client.get(f"/static/widget.js?v={mark}")
    assert by_hash.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert by_hash.data == by_name.data
    of_another_release = client.get("/static/widget.js?v=0123456789abcdef")
    assert of_another_release.data == by_name.data
    assert of_another_release.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": by_name.headers["ETag"]}
    assert client.get("/static/widget.js", headers=known).status_code == 304


def test_pages_ask_for_what_may_be_kept(client: FlaskClient) -> None:
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/login").text)
    assert found
    for address in found:
        assert "immutable" in client.get(address).headers["Cache-Control"], address


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "nothing.js", ".", "..", "a/widget.js", "%00", "x" * 300]
)
def test_nothing_else_is_a_file(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404
