"""How readers reach the service: limits, the public address, proxies."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

import redis
import urllib3

from service.cli.doctor.findings import Finding, Level
from service.settings import Settings

PROBE_SECONDS = 3.0


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
