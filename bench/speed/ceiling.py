"""The ceiling: the same server, framework and schema, and no database behind them.

`bench.speed.ceiling:served`: a report is validated and answered 201; GET / says hello.
"""

import uuid

from flask import Flask, request

from service.web import bodies
from service.web.asgi import Asgi
from service.web.schemas import ReportIn

app = Flask("ceiling")
schema = ReportIn()


@app.get("/")
def hello() -> str:
    """A trivial answer."""
    return "hello"


@app.post("/api/v1/sites/<key>/reports")
def report(key: str) -> tuple[dict[str, object], int]:
    """Validate a report and keep nothing."""
    schema.load(bodies.parse(request.get_data()))
    made = {"id": uuid.uuid4().hex, "correction_id": key, "receipt_url": "", "already_reported": 0}
    return dict(made), 201


served = Asgi(app, threads=16)
