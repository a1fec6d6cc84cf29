"""The data folder, and the secrets in it."""

import shutil
import stat
from collections.abc import Iterator
from uuid import uuid4

from sqlalchemy import make_url

from service.cli.doctor.findings import Finding, Level
from service.settings import Settings

LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_SECRET = 32
"""Characters; fewer can be tried, and with the key receipts, forms and hashes are forged."""

WELL_KNOWN = {"", "admin", "changeme", "change-me", "corrigenda", "password", "postgres", "secret"}
"""What examples and images come with."""


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether DATA_DIR can be written and has room."""
    folder = settings.data_dir
    probe = folder / f".probe-{uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        says = f"{folder} cannot be written: {error.strerror}"
        yield Finding(Level.FAULT, "disk", says, "Give the service's user this folder, or room.")
        return
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        says = f"only {free // 1024 // 1024} MiB are free at {folder}"
        yield Finding(Level.WARNING, "disk", says, "Make room: a full disk refuses all reports.")
    else:
        yield Finding(Level.OK, "disk", f"{folder} can be written")


def secrets(settings: Settings) -> Iterator[Finding]:
    """Whether the secret key and the database's password are this installation's own, and kept."""
    key = settings.data_dir / "secret_key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding(
            Level.WARNING, "secret key", f"{key} can be read by others", f"chmod 600 {key}"
        )
    if _is_guessable(settings.secret_key):
        yield Finding(
            Level.FAULT,
            "secret key",
            "it can be guessed: whoever does can forge forms and tell readers apart",
            "Set CORRIGENDA_SECRET_KEY to what `openssl rand -base64 48` prints, or unset it: "
            "then one is made. Editors sign in anew.",
        )
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" and str(url.password or "").lower() in WELL_KNOWN - {""}:
        yield Finding(
            Level.FAULT,
            "database password",
            "it is one that images and examples come with",
            "ALTER ROLE … PASSWORD '…', and the same in CORRIGENDA_DATABASE_URL.",
        )


def _is_guessable(key: str) -> bool:
    return key.lower() in WELL_KNOWN or len(key) < LEAST_SECRET or len(set(key)) < LEAST_SECRET // 4
