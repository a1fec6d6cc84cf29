"""How often one address may ask: moving windows, shared through Redis where one is set."""

import ipaddress
import math
import time
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.hashing import keyed
from service.settings import Settings
from service.web import current

SOCKET_SECONDS = 0.1
"""A store that hangs costs the first request two of these: the call, and a check of the store."""


def address_key() -> str:
    """The reader's address (IPv6: its /64) as a hash under a key of the day; never the address."""
    day = current.now().date().isoformat()
    return keyed(current.settings().secret_key, f"limits {day}", network(request.remote_addr or ""))


def network(address: str) -> str:
    """The address itself for IPv4, its /64 for IPv6 (mapped IPv4 addresses count as IPv4)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


limiter = Limiter(key_func=address_key, strategy="moving-window", headers_enabled=False)


def report_limits() -> str:
    """The limits for reports, from the settings."""
    return current.settings().report_limits


def register(app: Flask, settings: Settings) -> None:
    """Set the limiter up for this application's store."""
    options: dict[str, Any] = {}
    if settings.redis_url:
        options = {
            "socket_connect_timeout": SOCKET_SECONDS,
            "socket_timeout": SOCKET_SECONDS,
            # The client would try again three times, and the reader wait for each.
            "retry": Retry(NoBackoff(), 0),
        }
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS=options,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(settings.redis_url),
        RATELIMIT_KEY_PREFIX="corrigenda",
    )
    limiter.init_app(app)


def seconds_to_wait(error: RateLimitExceeded) -> int:
    """Whole seconds until the limit that was hit lets the next request through."""
    longest = error.limit.limit.get_expiry()
    hit = limiter.current_limit
    if hit is None:
        return longest
    return min(longest, max(1, math.ceil(hit.reset_at - time.time())))
