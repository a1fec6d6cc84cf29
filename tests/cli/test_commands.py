import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from service.db import Database
from tests.processes import COMMAND, environment, run, run_json


@pytest.fixture
def env(tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    return environment(tmp_path, DATABASE_URL=sqlite_url)


def test_site_editor_and_token_are_made_and_listed(env: dict[str, str]) -> None:
    key = run_json(
        ["site", "create", "Тижневик / The Weekly", "--origin", "https://weekly.example"], env
    )["key"]
    assert key == "the-weekly"
    again = run_json(["site", "create", "The Weekly", "--origin", "https://weekly.example"], env)[
        "key"
    ]
    assert again.startswith("the-weekly-")

    made = run_json(
        ["editor", "create", "Editor@weekly.example", "--site", key, "--role", "admin"],
        env,
        stdin="a long password\n",
    )
    assert (made["email"], made["role"]) == ("editor@weekly.example", "admin")

    token = run_json(["token", "create", "--site", key, "--scope", "read,review"], env)
    assert token["token"].startswith("corr_")
    listed = run(["token", "list", "--site", key], env).stdout
    assert token["id"] in listed
    assert token["token"] not in listed
    assert run(["token", "revoke", token["id"]], env).returncode == 0
    assert "revoked" in run(["token", "list", "--site", key], env).stdout

    changed = run_json(
        [
            "site",
            "set",
            key,
            "--excerpt-limit",
            "300",
            "--privacy-url",
            "https://weekly.example/privacy",
        ],
        env,
    )
    assert changed["excerpt_limit"] == 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["site", "create", "X", "--origin", "weekly.example"],
        ["site", "create", " ", "--origin", "https://weekly.example"],
        ["site", "set", "nowhere", "--name", "x"],
        ["site", "set", "nowhere"],
        ["token", "create", "--site", "nowhere"],
        ["token", "revoke", "01a20a3d-16fb-73b9-bb6d-bef276bdb80e"],
        ["editor", "disable", "nobody@weekly.example"],
        ["editor", "create", "nobody", "--site", "nowhere"],
        ["serve", "--workers", "2"],
    ],
)
def test_refusal_is_one_line(env: dict[str, str], arguments: list[str]) -> None:
    done = run(arguments, env, stdin="a long password\n")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("corrigenda: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'. See: corrigenda --help"),
        (["site", "create"], "Missing argument 'NAME'. See: corrigenda site create --help"),
        (["site", "list", "--all"], "No such option '--all'. See: corrigenda site list --help"),
    ],
)
def test_what_is_not_understood_is_told_in_one_line(
    env: dict[str, str], arguments: list[str], told: str
) -> None:
    done = run(arguments, env)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"corrigenda: {told}\n")


def test_only_site_need_not_be_named(env: dict[str, str]) -> None:
    none = run(["token", "list"], env)
    assert "There is no site yet" in none.stderr
    run_json(["site", "create", "Weekly", "--origin", "https://weekly.example"], env)
    made = run_json(["editor", "create", "e@weekly.example"], env, stdin="a long password\n")
    assert made["site"] == "weekly"
    token = run_json(["token", "create"], env)
    assert token["id"] in run(["token", "list"], env).stdout
    assert run(["deliveries", "list"], env).returncode == 0
    run_json(["site", "create", "Daily", "--origin", "https://daily.example"], env)
    several = run(["deliveries", "list"], env)
    assert (several.returncode, several.stderr) == (
        1,
        "corrigenda: Say which with --site: daily, weekly.\n",
    )


def test_database_that_is_not_migrated_is_told(tmp_path: Path) -> None:
    done = run(["site", "list"], environment(tmp_path))
    assert (done.returncode, done.stderr) == (
        1,
        "corrigenda: The database is not migrated; run: corrigenda migrate\n",
    )


@pytest.mark.parametrize("command", [["migrate"], ["site", "list"], ["worker"]])
def test_database_of_another_release_is_told(env: dict[str, str], command: list[str]) -> None:
    database = Database(env["CORRIGENDA_DATABASE_URL"])
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    done = run(command, env)
    assert (done.returncode, done.stderr) == (
        1,
        "corrigenda: The database is at 9999: it is of a newer release, or not ours.\n",
    )


def test_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    for command in (["migrate"], ["site", "list"]):
        done = run(
            command, environment(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
        )
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("command", [["migrate"], ["site", "list"], ["worker"]])
def test_file_that_is_no_database_is_told(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "corrigenda.db").write_bytes(b"not a database at all" * 100)
    done = run(command, environment(tmp_path))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.endswith(": file is not a database\n")


@pytest.mark.parametrize("command", [["deliveries", "prune"], ["seed", "--site", "weekly"]])
def test_days_have_an_end(env: dict[str, str], command: list[str]) -> None:
    done = run([*command, "--days", "800000"], env)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "800000 is not in the range 1<=x<=36500." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["editor", "create", "e@weekly.example"], b"a long pass\xffword\n"),
        (["token", "create", "--site", b"\xff"], b""),
        (["editor", "create", b"e\xff@weekly.example"], b"a long password\n"),
    ],
)
def test_what_is_not_utf_8_is_told(
    env: dict[str, str], arguments: list[str | bytes], given: bytes
) -> None:
    run_json(["site", "create", "Weekly", "--origin", "https://weekly.example"], env)
    done = subprocess.run([COMMAND, *arguments], check=False, env=env, input=given,
                          capture_output=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"corrigenda: What was given is not UTF-8.\n")


@pytest.mark.parametrize("module", ["tests.faults.upgrades", "tests.browser.widget.shots"])
def test_tool_without_arguments_tells_its_usage(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module], check=False, capture_output=True,
                          text=True)  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Usage: python -m {module} ")


def test_short_password_is_refused(env: dict[str, str]) -> None:
    key = run_json(["site", "create", "Weekly", "--origin", "https://weekly.example"], env)["key"]
    done = run(["editor", "create", "editor@weekly.example", "--site", key], env, stdin="short\n")
    assert (done.returncode, done.stderr) == (
        1,
        "corrigenda: A password has 10 to 1,024 characters.\n",
    )
