from pathlib import Path

from tests.processes import Serving, environment, run
from tests.servers import free_port


def test_serve_answers_and_stops_cleanly(tmp_path: Path, sqlite_url: str) -> None:
    serving = Serving(environment(tmp_path, DATABASE_URL=sqlite_url))
    serving.start()
    assert serving.stop() == 0


def test_taken_port_is_one_line(tmp_path: Path, sqlite_url: str) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    with Serving(env) as serving:
        done = run(["serve", "--port", str(serving.port)], env)
    assert (done.returncode, done.stderr) == (
        1,
        f"corrigenda: Port {serving.port} is taken by another program; try --port.\n",
    )


def test_foreign_address_is_one_line(tmp_path: Path, sqlite_url: str) -> None:
    done = run(
        ["serve", "--host", "192.0.2.1", "--port", str(free_port())],
        environment(tmp_path, DATABASE_URL=sqlite_url),
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
