"""The API reference at `/docs`, made of the same document as `/openapi.json`."""

from typing import Any

from flask import Blueprint, current_app, render_template

blueprint = Blueprint("reference", __name__)

METHODS = ("get", "post", "put", "patch", "delete")


@blueprint.get("/docs")
def docs() -> str:
    """The page."""
    spec: dict[str, Any] = current_app.extensions["openapi"].spec.to_dict()
    operations = [
        {"path": path, "method": method, **operation}
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    return render_template(
        "reference.html",
        info=spec["info"],
        tags=spec.get("tags", []),
        operations=operations,
        schemas=spec["components"]["schemas"],
    )
