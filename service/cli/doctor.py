"""`corrigenda doctor`: what is wrong with an installation, and what to do about it."""

import ipaddress
import json
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import uuid4

import click
import redis
import urllib3
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from service import settings as settings_module
from service.db import Database, migrate, sqlite_fault
from service.models import Event
from service.settings import BadSetting, Settings

PROBE_SECONDS = 3.0
LEAST_FREE_BYTES = 200 * 1024 * 1024
LATE = timedelta(minutes=2)


class Level(StrEnum):
    """How bad it is: a fault stops something from working."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str
    says: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a finding.")
def doctor(as_json: bool) -> None:
    """Look for what goes wrong in practice, and say what to do; a fault gives exit code 1."""
    found = list(examine())
    for finding in found:
        click.echo(json.dumps(asdict(finding)) if as_json else _in_words(finding))
    sys.exit(any(finding.level is Level.FAULT for finding in found))


def _in_words(finding: Finding) -> str:
    line = f"{finding.level:8} {finding.about}: {finding.says}"
    return f"{line}\n{'':8} {finding.advice}" if finding.advice else line


def examine() -> Iterator[Finding]:
    """Everything that is looked at, in order; stops early where nothing else can be known."""
    try:
        settings = settings_module.read()
    except BadSetting as error:
        yield Finding(Level.FAULT, "settings", str(error), "Set it right: docs/settings.md.")
        return
    yield from disk(settings)
    yield from database(settings)
    yield from limits(settings)
    yield from public_url(settings)
    yield from proxies(settings)


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether DATA_DIR can be written, has room, and keeps its secret to itself."""
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
    key = folder / "secret_key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding(
            Level.WARNING, "secret key", f"{key} can be read by others", f"chmod 600 {key}"
        )


def database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers, is migrated, safe, and being worked for."""
    opened = Database(settings.database_url)
    try:
        at, head = migrate.current(opened), migrate.head()
        if opened.is_sqlite and (fault := sqlite_fault()):
            yield Finding(Level.WARNING, "SQLite", fault)
        if at != head:
            says = f"at revision {at or 'none'}, this release needs {head}"
            advice = "corrigenda migrate (make a backup first: docs/operations.md)"
            yield Finding(Level.FAULT, "database", says, advice)
            return
        yield Finding(Level.OK, "database", f"{opened.engine.dialect.name} at revision {at}")
        yield from deliveries(opened)
    except SQLAlchemyError as error:
        says = f"does not answer: {getattr(error, 'orig', None) or error}"
        advice = "Start it, or set CORRIGENDA_DATABASE_URL right."
        yield Finding(Level.FAULT, "database", says.strip(), advice)
    finally:
        opened.dispose()


def deliveries(opened: Database) -> Iterator[Finding]:
    """Whether somebody takes events out of the outbox."""
    late = datetime.now(UTC) - LATE
    with opened.read() as session:
        waiting = session.scalar(
            select(func.count()).where(Event.fanned_out_at.is_(None), Event.created_at < late)
        )
    if waiting:
        says = f"{waiting} events have waited for more than {LATE.seconds // 60} minutes"
        advice = "Start a worker: corrigenda worker (on SQLite, `serve` is one)."
        yield Finding(Level.WARNING, "deliveries", says, advice)


def limits(settings: Settings) -> Iterator[Finding]:
    """Whether limits hold over all processes there are."""
    if settings.redis_url:
        store = redis.Redis.from_url(
            settings.redis_url, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS
        )
        try:
            store.ping()
            yield Finding(Level.OK, "limits", "kept in Redis for all processes")
        except redis.RedisError as error:
            says = f"Redis does not answer ({error}): each process counts for itself meanwhile"
            advice = "Start it, or set CORRIGENDA_REDIS_URL right."
            yield Finding(Level.WARNING, "limits", says, advice)
        finally:
            store.close()
    elif settings.database_url.startswith("sqlite"):
        yield Finding(Level.OK, "limits", "kept in the one process there is")
    else:
        yield Finding(
            Level.WARNING,
            "limits",
            "kept in memory: each serving process lets the full number through",
            "Set CORRIGENDA_REDIS_URL before you start a second one.",
        )


def public_url(settings: Settings) -> Iterator[Finding]:
    """Whether the address that readers get is safe to give out."""
    if settings.is_secure:
        yield Finding(Level.OK, "public URL", settings.public_url)
    elif _is_loopback(settings.public_url):
        yield Finding(
            Level.WARNING,
            "public URL",
            f"{settings.public_url} is this machine only",
            "Set CORRIGENDA_PUBLIC_URL to the address that readers' browsers reach.",
        )
    else:
        yield Finding(
            Level.FAULT,
            "public URL",
            f"{settings.public_url} is not TLS: pages served by https cannot load the widget, "
            "and passwords travel in the clear",
            "Put a proxy with a certificate in front and set CORRIGENDA_PUBLIC_URL to https://…",
        )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxies(settings: Settings) -> Iterator[Finding]:
    """Whether TRUSTED_PROXIES is the number of proxies on the way from the public URL."""
    address = f"{settings.public_url}/readyz?forwarded"
    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request(
                "GET", address, timeout=PROBE_SECONDS, retries=False, redirect=False
            )
            seen = int(answer.json()["forwarded"])
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
        says = f"{settings.public_url} could not be asked from here ({type(error).__name__})"
        advice = "Start the service, then run this again where the public URL can be reached."
        yield Finding(Level.WARNING, "proxies", says, advice)
        return
    trusted = settings.trusted_proxies
    if seen == trusted:
        yield Finding(Level.OK, "proxies", f"{seen} in front, {trusted} trusted")
    elif seen > trusted:
        yield Finding(
            Level.FAULT,
            "proxies",
            f"forwarded headers of {seen} are seen, TRUSTED_PROXIES is {trusted}: "
            "all readers count as one, and share one limit",
            f"If all of them are yours: CORRIGENDA_TRUSTED_PROXIES={seen}",
        )
    else:
        yield Finding(
            Level.FAULT,
            "proxies",
            f"forwarded headers of {seen} are seen, TRUSTED_PROXIES is {trusted}: "
            "a reader can pretend to be at any address",
            f"CORRIGENDA_TRUSTED_PROXIES={seen}",
        )
