"""What this is built of: pinned by hashes, few, from the registries alone; pages load nothing from elsewhere."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.security.tally import Tally

ROW = "supply chain"

ROOT = Path(__file__).parents[2]

MOST_DEPENDENCIES = 25
"""Of the service; each one more is somebody else to be trusted."""

RUN_AT_INSTALLATION = {"node_modules/esbuild", "node_modules/fsevents"}
"""npm packages that run a script as they are installed: one checks its binary, one is for macOS."""


def test_every_python_package_is_locked_by_hashes(tally: Tally) -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())
    for package in locked["package"]:
        if package["name"] == "corrigenda":
            continue
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        held = set(package["source"]) == {"registry"} and bool(files)
        held = held and all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files)
        tally.add((package["name"], package["source"]), held=held)


def npm() -> dict[str, dict[str, Any]]:
    locked = json.loads((ROOT / "package-lock.json").read_text())
    assert locked["lockfileVersion"] == 3
    return {name: package for name, package in locked["packages"].items() if name}


def test_every_npm_package_is_locked_by_hashes(tally: Tally) -> None:
    for name, package in npm().items():
        # No address is recorded: whatever a registry or a mirror sends has to have this hash.
        held = package["integrity"].startswith("sha512-") and "resolved" not in package
        tally.add((name, package), held=held)


def test_no_package_runs_a_script_at_its_installation_but_known_ones(tally: Tally) -> None:
    found = {name for name, package in npm().items() if package.get("hasInstallScript")}
    for name in found | RUN_AT_INSTALLATION:
        tally.add(name, held=name in RUN_AT_INSTALLATION)


def test_npm_is_for_building_only(tally: Tally) -> None:
    """Readers load no package of npm's: what is served was built and is in the repository."""
    named = json.loads((ROOT / "package.json").read_text())
    tally.add(named.get("dependencies"), held="dependencies" not in named)
    for name, package in npm().items():
        tally.add(name, held=package.get("dev") is True or package.get("devOptional") is True)


def test_dependencies_are_few(tally: Tally) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tally.add(project["dependencies"], held=len(project["dependencies"]) <= MOST_DEPENDENCIES)


def test_image_installs_only_what_is_locked_by_hashes_and_runs_as_nobody(tally: Tally) -> None:
    said = (ROOT / "Dockerfile").read_text()
    tally.add("hashes", held="uv export --frozen" in said and "--require-hashes" in said)
    tally.add("user", held=re.search(r"^USER 10001", said, re.MULTILINE) is not None)
    tally.add("no script from the network", held=not re.search(r"curl|wget|ADD http", said))


LOADS = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|href|data)\s*=\s*["']?([^"'\s>]+)""",
    re.IGNORECASE,
)
TEMPLATES = sorted((ROOT / "service").rglob("*.html"))


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_page_loads_nothing_from_elsewhere(file: Path, tally: Tally) -> None:
    for loaded in LOADS.findall(file.read_text()):
        # An address of ours, or one that a template puts together from ours.
        tally.add((file.name, loaded), held=not re.match(r"(https?:)?//", loaded))


BUILT = [file for file in sorted((ROOT / "static").rglob("*")) if file.suffix in {".css", ".js"}]


@pytest.mark.parametrize("file", BUILT, ids=lambda file: file.name)
def test_built_file_loads_nothing_from_elsewhere(file: Path, tally: Tally) -> None:
    text = file.read_text()
    patterns = (
        r"""\bimport\s*\(?\s*["'](https?:)?//""",
        r"""url\(\s*["']?(https?:)?//""",
        r"@import",
        r"\beval\(",
    )
    for pattern in patterns:
        found = re.search(pattern, text)
        tally.add((file.name, pattern, found and found[0]), held=found is None)
