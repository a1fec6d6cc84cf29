"""Every setting: its default and its meaning, read once from the environment."""

import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from email.utils import formataddr, parseaddr
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "CORRIGENDA_"
HOLD_MOST = 30 * 24 * 3600
"""A month, in seconds."""

SMTP_SCHEMES = ("smtp", "smtp+starttls", "smtps")

_DATABASE = re.compile(r"sqlite(\+\w+)?:///[^:?]|postgresql(\+\w+)?://.")
_REDIS = re.compile(r"(redis|valkey)(s|\+\w+)?://.")
_LIMIT = re.compile(
    r"\s*[0-9]+\s*(/|per)\s*([0-9]+\s*)?(second|minute|hour|day|month|year)s?\s*", re.IGNORECASE
)
_BETWEEN_LIMITS = re.compile("[;,|]")


class BadSetting(ValueError):
    """A variable holds a value that the service cannot run with."""


def _setting(default: str, meaning: str) -> str:
    value: str = field(default=default, metadata={"meaning": meaning})
    return value


@dataclass(frozen=True, slots=True)
class Variables:
    """The raw variables, one field each; `CORRIGENDA_` + the field's name in capitals."""

    database_url: str = _setting(
        "", "`sqlite:///FILE` or `postgresql://…`; empty: `DATA_DIR/corrigenda.db`"
    )
    redis_url: str = _setting("", "Redis or Valkey for limits; empty: kept in this one process")
    data_dir: str = _setting("./var", "the only folder that is written to; made with mode 700")
    secret_key: str = _setting(
        "", "signs and hashes; empty: made once, kept in `DATA_DIR`, mode 600"
    )
    public_url: str = _setting(
        "http://127.0.0.1:8000", "where readers and editors reach the service"
    )
    trusted_proxies: str = _setting(
        "0", "how many proxies in front set forwarded headers; 0 ignores them"
    )
    report_limits: str = _setting(
        "5/minute;30/hour;100/day", "reports per reader address (IPv6 by /64), moving windows"
    )
    webhook_allow_networks: str = _setting(
        "", "comma-separated CIDRs that webhooks may reach besides public addresses"
    )
    smtp_url: str = _setting(
        "",
        "`smtp://user:password@host:port` (TLS where it is offered), `smtp+starttls://…` or "
        "`smtps://…` (TLS always); empty: no mail",
    )
    mail_from: str = _setting(
        "", "the sender of mail, `Name <address>`; empty: `corrections@` the host of `PUBLIC_URL`"
    )
    hold_seconds: str = _setting(
        "600",
        "seconds that readers' mail and publication wait after a decision, for undo",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as the service uses them, checked."""

    database_url: str
    redis_url: str | None
    data_dir: Path
    secret_key: str
    public_url: str
    trusted_proxies: int
    report_limits: str
    webhook_allow_networks: tuple[Network, ...]
    smtp_url: str | None
    mail_from: str
    hold_seconds: int

    @property
    def is_secure(self) -> bool:
        """Whether the public address is reached by TLS."""
        return self.public_url.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        """Host headers that are answered: the public one, and loopback for probes."""
        public = urlsplit(self.public_url).hostname or ""
        public = f"[{public}]" if ":" in public else public.encode("idna").decode()
        return frozenset({public, "127.0.0.1", "localhost", "[::1]"})

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.database_url.startswith("sqlite")


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; a `…_FILE` variable names a file that holds the value (a mounted secret).

    Raises BadSetting. Makes `DATA_DIR` and the secret key on the first run.
    """
    raw = _variables(os.environ if environ is None else environ)
    data_dir = Path(raw.data_dir).absolute()
    public = _public(raw.public_url)
    return Settings(
        database_url=_database(raw.database_url) or f"sqlite:///{data_dir / 'corrigenda.db'}",
        redis_url=_redis(raw.redis_url),
        data_dir=data_dir,
        secret_key=raw.secret_key or _kept_secret(data_dir),
        public_url=raw.public_url.rstrip("/"),
        trusted_proxies=_count(raw.trusted_proxies, "TRUSTED_PROXIES", most=100),
        report_limits=_limits(raw.report_limits),
        webhook_allow_networks=_networks(raw.webhook_allow_networks),
        smtp_url=_smtp(raw.smtp_url),
        mail_from=_sender(raw.mail_from or f"corrections@{public.hostname}"),
        hold_seconds=_count(raw.hold_seconds, "HOLD_SECONDS", most=HOLD_MOST),
    )


def _variables(environ: Mapping[str, str]) -> Variables:
    found = {}
    for known in fields(Variables):
        name = PREFIX + known.name.upper()
        if environ.get(f"{name}_FILE"):
            found[known.name] = _content(Path(environ[f"{name}_FILE"]), f"{name}_FILE")
        elif environ.get(name):
            found[known.name] = environ[name].strip()
    return Variables(**found)


def _content(path: Path, name: str) -> str:
    try:
        content = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise BadSetting(f"{name} cannot be read: {error}") from None
    if not content:
        raise BadSetting(f"{name} is empty: {path}")
    return content


def _split(text: str) -> SplitResult | None:
    """The parts of an address; None where it is none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _has_host(parts: SplitResult) -> bool:
    try:
        return bool(parts.hostname and parts.hostname.encode("idna"))
    except UnicodeError:
        return False


# What an address is said to be wrong with leaves it out: it may hold a password.
def _public(text: str) -> SplitResult:
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"} or not _has_host(parts):
        raise BadSetting(f"{PREFIX}PUBLIC_URL must be an http or https address")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise BadSetting(f"{PREFIX}PUBLIC_URL must have no user name, no query and no fragment")
    return parts


def _database(text: str) -> str:
    if text and not _DATABASE.match(text):
        raise BadSetting(f"{PREFIX}DATABASE_URL must begin with sqlite:/// or postgresql://")
    return text


def _redis(text: str) -> str | None:
    if text and not _REDIS.match(text):
        raise BadSetting(f"{PREFIX}REDIS_URL must begin with redis:// or rediss://")
    return text or None


def _limits(text: str) -> str:
    if not all(map(_LIMIT.fullmatch, _BETWEEN_LIMITS.split(text))):
        raise BadSetting(f"{PREFIX}REPORT_LIMITS must be like 5/minute;30/hour, not {text!r}")
    return text


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"{PREFIX}DATA_DIR cannot be made: {error}") from None
    try:
        if not path.exists():
            _make_secret(path)
        kept = path.read_text().strip()
    except OSError as error:
        raise BadSetting(f"{PREFIX}DATA_DIR cannot be written: {error}") from None
    if not kept:
        raise BadSetting(f"{path} is empty; put the secret key back, or remove it for a new one")
    return kept


def _make_secret(path: Path) -> None:
    """Write it whole, or not at all: of two processes that start at once, the first decides."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".secret_key-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _count(text: str, name: str, *, most: int) -> int:
    if not text.isdecimal() or len(text) > len(str(most)) or int(text) > most:
        raise BadSetting(f"{PREFIX}{name} must be a whole number from 0 to {most}, not {text!r}")
    return int(text)


def _smtp(text: str) -> str | None:
    server = _split(text)
    if text and (server is None or server.scheme not in SMTP_SCHEMES or not server.hostname):
        raise BadSetting(f"{PREFIX}SMTP_URL must begin with one of {', '.join(SMTP_SCHEMES)} ://")
    return text or None


def _sender(text: str) -> str:
    name, address = parseaddr(text)
    if not text.isprintable() or "@" not in address:
        raise BadSetting(f"{PREFIX}MAIL_FROM must be a mail address: {text!r}")
    return formataddr((name, address))


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BadSetting(f"{PREFIX}WEBHOOK_ALLOW_NETWORKS: {error}") from None
