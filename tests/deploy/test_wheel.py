"""The package as its users get it: built, installed into an empty environment, and run there."""

import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.demo import Demo

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))
MINORS = (11, 12, 13)


def interpreter(minor: int) -> str | None:
    """A Python 3.`minor` of this machine that has its `venv` module."""
    if sys.version_info.minor == minor:
        return sys.executable
    places = [shutil.which(f"python3.{minor}")]
    places += [str(path) for path in Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")]
    for place in filter(None, places):
        asked = subprocess.run(
            [place, "-c", "import venv, ensurepip"], capture_output=True, check=False
        )
        if asked.returncode == 0:
            return place
    return None


def uv(*arguments: str) -> str:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", str(folder))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(params=MINORS, ids=lambda minor: f"3.{minor}")
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """An empty environment of each Python that is supported."""
    minor: int = request.param
    found = interpreter(minor)
    if found is None:
        missing(f"Python 3.{minor} is not installed: the wheel is not tried on it")
    uv("venv", "--quiet", "--python", str(found), str(tmp_path / "venv"))
    yield tmp_path / "venv"
    shutil.rmtree(tmp_path / "venv")


def source(folder: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_carries_all_that_is_needed_at_run_time_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    static = {f"service/{name}" for name in source("static")}
    assert names == source("service") | static
    for part in (
        "service/db/migrations/env.py",
        "service/strings/en.json",
        "service/static/widget.js",
    ):
        assert part in names
    for part in ("templates/demo/rain.html", "templates/demo/bus.svg", "templates/reference.html"):
        assert f"service/web/{part}" in names


def test_wheel_serves_the_demo_from_an_empty_environment(
    wheel: Path, empty: Path, tmp_path: Path
) -> None:
    locked = uv("export", "--frozen", "--no-default-groups", "--no-emit-project", "--quiet")
    (tmp_path / "requirements.txt").write_text(locked)
    python = str(empty / "bin" / "python")
    install = ("pip", "install", "--quiet", "--compile-bytecode", "--python", python)
    uv(*install, "--require-hashes", "-r", str(tmp_path / "requirements.txt"))
    uv(*install, "--no-deps", str(wheel))
    uv("pip", "check", "-q", "--python", python)
    demo = Demo(tmp_path / "demo", command=str(empty / "bin" / "corrigenda"))
    with demo:
        for path, words in {
            "/demo/night-buses": "Night buses return",
            "/static/widget.js": "corrigenda",
            "/static/demo.css": "--paper",
            "/api/v1/sites/demo/widget?locale=uk": "strings",
            "/readyz": '"ready"',
            "/docs": "Corrigenda",
            "/login": "Password",
        }.items():
            with urllib.request.urlopen(demo.url + path, timeout=10) as answer:
                assert words in answer.read().decode(), path
    assert demo.err == ""
