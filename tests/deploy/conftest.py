"""The large profile as processes: what docker-compose.yml starts, started by hand."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.browser.servers import Pages, serving
from tests.conftest import POSTGRESQL_URL, missing
from tests.processes import COMMAND, Serving, environment, run
from tests.servers import (
    MISSING_POSTGRESQL,
    MISSING_REDIS,
    Redis,
    free_port,
    is_listening,
    wait_until,
)

ROOT = Path(__file__).parents[2]
LIMIT = 5


@dataclass
class Proxy:
    """nginx with the project's own configuration, its names and ports put in place."""

    folder: Path
    upstreams: list[int]
    port: int = field(default_factory=free_port)
    plain_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "tls_certificate"

    @property
    def log(self) -> str:
        return (self.folder / "access.log").read_text()

    @property
    def error_log(self) -> str:
        return (self.folder / "error.log").read_text()

    def start(self) -> None:
        self._make_certificate()
        config = (ROOT / "deploy/nginx.conf").read_text()
        for said, meant in {
            " /tmp/": f" {self.folder}/",
            "serve-1:8000": f"127.0.0.1:{self.upstreams[0]}",
            "serve-2:8000": f"127.0.0.1:{self.upstreams[1]}",
            "listen 8443 ": f"listen 127.0.0.1:{self.port} ",
            "listen 8080;": f"listen 127.0.0.1:{self.plain_port};",
            "/run/secrets/": f"{self.folder}/",
            "/dev/stdout": f"{self.folder}/access.log",
            "/dev/stderr": f"{self.folder}/error.log",
        }.items():
            assert said in config, said
            config = config.replace(said, meant)
        (self.folder / "nginx.conf").write_text(config)
        # Started by root it would hand its work to a user who may not look into this folder.
        user = "user root;" if os.geteuid() == 0 else ""
        self.process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-g", f"daemon off; {user}"],
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: is_listening(self.port), 20, "nginx listens")

    def _make_certificate(self) -> None:
        made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
        names = ["-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(self.folder / "tls_key"), "-out", str(self.certificate)]
        subprocess.run(["openssl", *made.split(), *names, *files], check=True, capture_output=True)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)


@dataclass
class Large:
    """What runs: the proxy, two servers, two workers, PostgreSQL, Redis; and a news site."""

    proxy: Proxy
    servers: list[Serving]
    workers: list[subprocess.Popen[bytes]]
    env: dict[str, str]
    pages: Pages


@pytest.fixture(scope="module")
def empty_database() -> Iterator[str]:
    """An empty PostgreSQL database."""
    server = os.environ.get(POSTGRESQL_URL)
    if not server:
        missing(MISSING_POSTGRESQL)
        raise AssertionError
    name = f"large_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def need_tools() -> None:
    """Skip the test where the proxy cannot be run."""
    for tool, package in {"nginx": "nginx-light", "openssl": "openssl"}.items():
        if not shutil.which(tool):
            missing(f"{tool} is not installed (Debian: apt-get install {package})")


@pytest.fixture
def lone_proxy(tmp_path: Path) -> Iterator[Proxy]:
    """The proxy with nothing behind it."""
    need_tools()
    proxy = Proxy(tmp_path, [free_port(), free_port()])
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, empty_database: str) -> Iterator[Large]:
    if not Redis.binary():
        missing(MISSING_REDIS)
    need_tools()
    folder = tmp_path_factory.mktemp("large")
    with ExitStack() as stack:
        redis = Redis()
        redis.start()
        stack.callback(redis.stop)
        pages = Pages()
        pages.url = f"http://127.0.0.1:{stack.enter_context(serving(pages.handler()))}"
        (folder / "database_url").write_text(empty_database + "\n")
        (folder / "secret_key").write_text(uuid.uuid4().hex * 2 + "\n")
        proxy = Proxy(folder, [free_port(), free_port()])
        env = environment(
            folder / "data",
            PUBLIC_URL=proxy.url,
            TRUSTED_PROXIES="1",
            DATABASE_URL_FILE=str(folder / "database_url"),
            SECRET_KEY_FILE=str(folder / "secret_key"),
            REDIS_URL=redis.url(),
            REPORT_LIMITS=f"{LIMIT}/minute",
            WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
        )
        (folder / "data").mkdir()
        migrated = run(["migrate"], env)
        assert migrated.returncode == 0, migrated.stderr
        servers = [
            stack.enter_context(Serving(env, "serve", "--workers", "2", port=port))
            for port in proxy.upstreams
        ]
        workers = [
            subprocess.Popen([COMMAND, "worker"], env=env, stderr=subprocess.DEVNULL)
            for _ in range(2)
        ]
        for worker in workers:
            stack.callback(worker.wait, 40)
            stack.callback(worker.terminate)
        proxy.start()
        stack.callback(proxy.stop)
        yield Large(proxy, servers, workers, env, pages)
