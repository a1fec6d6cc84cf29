"""Cases made from our own OpenAPI document, against a real server on both databases."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ORIGIN, Say
from tests.processes import Serving, environment, run_json
from tests.security.tally import Tally

ROW = "bad bodies"

EXAMPLES = int(os.environ.get("CORRIGENDA_TEST_EXAMPLES", "4"))
"""For each operation and phase; `make test-deep` asks for more."""

PHASES = {"sqlite": "examples,fuzzing,stateful", "postgresql": "examples,coverage,fuzzing"}
"""What a short run leaves to the other database; a long one does all on both."""

CONFIG = """
hooks = "{hooks}"

[parameters]
"path.key" = "{key}"

# What a schema cannot say is refused with 422: addresses of foreign hosts, one of two fields.
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429"]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "412", "422"]
"""

HOOKS = """
import ipaddress
import itertools
import urllib.parse

import schemathesis

readers = itertools.count(int(ipaddress.ip_address("10.0.0.0")))


@schemathesis.hook
def before_call(context, case, kwargs):
    # Each case is another reader's: what one of them may do in a minute is tried elsewhere.
    kwargs["auth"] = sign


def sign(request):
    # Not through the case's own headers: the checks would take it for another case.
    request.headers["X-Forwarded-For"] = str(ipaddress.ip_address(next(readers)))
    return request


@schemathesis.hook
def filter_query(context, query):
    # A request line over 8 KB is the server's own to refuse, before there is an application.
    return query is None or len(urllib.parse.urlencode(query)) < 7000
"""


def test_every_operation_keeps_to_its_description(
    database_url: str, tmp_path: Path, tally: Tally, say: Say
) -> None:
    env = environment(
        tmp_path,
        DATABASE_URL=database_url,
        REPORT_LIMITS="1000000/minute",
        TRUSTED_PROXIES="1",
    )
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    token = run_json(
        ["token", "create", "--site", key, "--scope", "read,review,publish,admin"], env
    )["token"]
    hooks = tmp_path / "hooks.py"
    hooks.write_text(HOOKS)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(key=key, hooks=hooks))
    report = tmp_path / "report.json"
    store = database_url.partition(":")[0]
    phases = PHASES[store] if EXAMPLES < 100 else "examples,coverage,fuzzing,stateful"
    with Serving(env) as server:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "--config-file", str(config),
                "run", f"{server.url}/openapi.json",
                "--checks", "all",
                "--phases", phases,
                "--request-timeout", "60",
                "--max-examples", str(EXAMPLES),
                "--header", f"Authorization: Bearer {token}",
                "--header", f"Origin: {ORIGIN}",
                "--continue-on-failure",
                "--generation-database", "none",
                "--no-shrink",
                "--no-color",
                "--warnings", "off",
                "--report", "json", "--report-json-path", str(report),
            ],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    print(done.stdout)
    cases = found["test_cases"]
    operations = found["operations"]
    assert operations["tested"] == operations["total"] > 15
    for number in range(cases["generated"]):
        tally.add(number, held=number >= cases["with_failures"])
    say(
        f"schemathesis, {store}: {cases['generated']} cases, {operations['tested']} operations, "
        f"{cases['unique_failures']} failures, {found['running_time']:.0f} s"
    )
    assert found["failures"] == []
