import re
from dataclasses import fields
from pathlib import Path

import pytest
from limits import parse_many

from service import settings
from service.db import Database, migrate
from service.settings import BadSetting, Variables

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def test_page_documents_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\S+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [
        (
            known.name.upper(),
            f"`{known.default}`" if known.default else "none",
            known.metadata["meaning"],
        )
        for known in fields(Variables)
    ]


def test_defaults_make_a_database_and_a_secret_in_the_data_folder(tmp_path: Path) -> None:
    environ = {"CORRIGENDA_DATA_DIR": str(tmp_path / "var")}
    first = settings.read(environ)
    assert first.database_url == f"sqlite:///{tmp_path}/var/corrigenda.db"
    assert len(first.secret_key) >= 43
    assert settings.read(environ).secret_key == first.secret_key
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_value_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://cache/0\n")
    read = settings.read(
        {"CORRIGENDA_DATA_DIR": str(tmp_path), "CORRIGENDA_REDIS_URL_FILE": str(tmp_path / "url")}
    )
    assert read.redis_url == "redis://cache/0"


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff", "cannot be read")],
)
@pytest.mark.parametrize("name", ["DATABASE_URL_FILE", "SECRET_KEY_FILE"])
def test_file_without_a_value_is_refused(
    tmp_path: Path, name: str, content: bytes, fault: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    environ = {
        "CORRIGENDA_DATA_DIR": str(tmp_path / "var"),
        f"CORRIGENDA_{name}": str(tmp_path / "file"),
    }
    with pytest.raises(BadSetting, match=f"{name} {fault}"):
        settings.read(environ)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "news.example"),
        ("PUBLIC_URL", "ftp://x"),
        ("PUBLIC_URL", "https://user@news.example"),
        ("PUBLIC_URL", "https://user:pw@news.example"),
        ("PUBLIC_URL", "https://news.example?"),
        ("PUBLIC_URL", "https://news.example/?q"),
        ("PUBLIC_URL", "https://news.example/#f"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "one"),
        ("TRUSTED_PROXIES", "101"),
        ("HOLD_SECONDS", "ten"),
        ("HOLD_SECONDS", "2592001"),
        ("HOLD_SECONDS", "9" * 20),
        ("WEBHOOK_ALLOW_NETWORKS", "10.0.0.0/99"),
        ("SECRET_KEY_FILE", "/nowhere"),
        ("SMTP_URL", "mail.example:25"),
        ("SMTP_URL", "smtp://"),
        ("MAIL_FROM", "corrections"),
        ("MAIL_FROM", "a@news.example\r\nBcc: b@news.example"),
        ("DATABASE_URL", "mysql://user:secret@db.example/corrections"),
        ("DATABASE_URL", "corrigenda.db"),
        ("DATABASE_URL", "sqlite"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "postgresql://"),
        ("PUBLIC_URL", "http://["),
        ("PUBLIC_URL", "http://news.example:99999"),
        ("SMTP_URL", "smtp://["),
        ("SMTP_URL", "smtp://mail.example:99999"),
        ("REDIS_URL", "junk"),
        ("REPORT_LIMITS", "junk"),
        ("REPORT_LIMITS", "5/minute;"),
        ("REPORT_LIMITS", "5/fortnight"),
    ],
)
def test_bad_value_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        settings.read({"CORRIGENDA_DATA_DIR": str(tmp_path), f"CORRIGENDA_{name}": value})


@pytest.mark.parametrize(
    "address", ["https://user:secret@news.example", "ftp://user:secret@news.example"]
)
def test_refusal_of_an_address_does_not_tell_its_password(tmp_path: Path, address: str) -> None:
    environ = {"CORRIGENDA_DATA_DIR": str(tmp_path), "CORRIGENDA_PUBLIC_URL": address}
    with pytest.raises(BadSetting) as refused:
        settings.read(environ)
    assert "secret" not in str(refused.value)


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "var"):
        with pytest.raises(BadSetting, match="DATA_DIR"):
            settings.read({"CORRIGENDA_DATA_DIR": str(folder)})


def test_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(BadSetting, match="secret_key is empty"):
        settings.read({"CORRIGENDA_DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    "limits", ["5/minute", "5 per minute", "1/2 hours,7/DAY", "5/1second|9/year"]
)
def test_limits_are_as_the_library_reads_them(tmp_path: Path, limits: str) -> None:
    environ = {"CORRIGENDA_DATA_DIR": str(tmp_path), "CORRIGENDA_REPORT_LIMITS": limits}
    assert parse_many(settings.read(environ).report_limits)


def test_what_is_kept_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    read = settings.read({"CORRIGENDA_DATA_DIR": str(tmp_path / "var")})
    database = Database(read.database_url)
    migrate.upgrade(database)
    database.dispose()
    for path in (read.data_dir, *read.data_dir.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
