import re
import urllib.request
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.dispatch import webhooks
from service.dispatch.measures import Measures
from service.dispatch.webhooks import CheckedUrl
from service.models import Site
from service.web import metrics
from tests.processes import Serving, environment
from tests.servers import PATIENCE, free_port, wait_until
from tests.web.test_public import body, post

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


def numbers(client: FlaskClient) -> dict[str, float]:
    """Each sample of the page by its name and labels."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_answers_are_counted_by_rule_and_never_by_path(client: FlaskClient, site: Site) -> None:
    name = 'corrigenda_answers_total{route="/api/v1/receipts/<token>",status="404"}'
    before = numbers(client).get(name, 0.0)
    client.get("/api/v1/receipts/a-secret-token")
    text = client.get("/metrics").text
    assert numbers(client)[name] == before + 1
    assert "a-secret-token" not in text


def test_outbox_is_told_as_it_stands(
    client: FlaskClient, site: Site, database: Database, now: datetime
) -> None:
    with database.write() as session:
        webhooks.create(session, site.id, CheckedUrl("http://127.0.0.1:9/"), ("*",), now=now)
    assert numbers(client)["corrigenda_events_waiting"] == 0
    assert post(client, site, body()).status_code == 201
    # The report's arrival and the correction's.
    assert numbers(client)["corrigenda_events_waiting"] == 2
    assert set(metrics.MEANINGS) == {field.name for field in fields(Measures)}


def test_documented_metrics_are_there(client: FlaskClient, site: Site) -> None:
    client.get("/healthz")
    told = set(re.findall(r"corrigenda_[a-z_]+", client.get("/metrics").text))
    documented = set(re.findall(r"corrigenda_[a-z_]+", OPERATIONS.read_text()))
    assert documented - told == set()
    assert {f"corrigenda_{name}" for name in metrics.MEANINGS} - documented == set()


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("8.8.8.8", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, 404),
        ("127.0.0.1", {"Forwarded": "for=10.1.2.3"}, 404),
        ("unix", {}, 404),
    ],
)
def test_metrics_are_for_the_inside_only(
    client: FlaskClient, address: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert bool(re.search("corrigenda_", answer.text)) == (status == 200)


def test_any_process_of_a_server_tells_the_answers_of_all(sqlite_url: str, tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    counted.mkdir()
    store = f"redis://127.0.0.1:{free_port()}/0"
    env = environment(tmp_path, DATABASE_URL=sqlite_url, REDIS_URL=store)
    env["PROMETHEUS_MULTIPROC_DIR"] = str(counted)
    with Serving(env, "serve", "--workers", "2") as server:

        def get(path: str) -> str:
            with urllib.request.urlopen(f"{server.url}{path}", timeout=30) as answer:
                return str(answer.read().decode())

        def processes() -> int:
            get("/readyz")
            return len({path.stem.rpartition("_")[2] for path in counted.glob("counter_*.db")})

        wait_until(lambda: processes() == 2, PATIENCE, "both have answered")
        asked = [get("/openapi.json") for _ in range(10)]
        name = 'corrigenda_answers_total{route="/openapi.json",status="200"} '
        told = {line for _ in range(10) for line in get("/metrics").splitlines() if name in line}
    assert told == {f"{name}{len(asked)}.0"}
