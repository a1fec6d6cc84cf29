import re
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from service.web.corrections import CorrectionOut

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def spec(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json
    return found


def test_openapi_lists_exactly_the_api_routes(app: Flask, client: FlaskClient) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    found = spec(client)
    described = {
        (path, method)
        for path, item in found["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert found["openapi"] == "3.1.0"
    assert described == routes


def test_page_names_what_every_path_is_about(client: FlaskClient) -> None:
    words = {re.findall(r"/([\w-]+)", path)[-1] for path in spec(client)["paths"]}
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", PAGE)) == []


def test_page_names_every_field_of_a_correction() -> None:
    listed = PAGE.partition("\nA correction: ")[2].partition("\n\n")[0]
    assert [name for name in CorrectionOut().fields if f"`{name}" not in listed] == []


def test_every_refusal_in_openapi_is_a_problem(client: FlaskClient) -> None:
    for name, response in spec(client)["components"]["responses"].items():
        assert list(response.get("content", {})) in ([], ["application/problem+json"]), name


def test_reference_page_names_every_operation_and_loads_nothing_from_elsewhere(
    client: FlaskClient,
) -> None:
    page = client.get("/docs").text
    for path in spec(client)["paths"]:
        assert f"<code>{path}</code>" in page
    loaded = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="([^"]+)"', page)
    assert loaded
    assert all(url.startswith("/") and not url.startswith("//") for url in loaded)
