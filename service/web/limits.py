"""How often one address may ask: moving windows, shared through Redis where one is set."""

import ipaddress
import math
import time
from typing import Any

from flask import Flask, g, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded

from service.hashing import keyed
from service.settings import Settings
from service.web import current, windows

SOCKET_SECONDS = 0.075
"""A store that hangs costs the first request two of these: the call, and a check of the store.

Both together leave as much again of the quarter of a second in which a reader gets an answer.
"""


def address_key() -> str:
    """The reader's address (IPv6: its /64) as a hash under a key of the day; never the address."""
    if "address_key" not in g:  # Every limit of a request asks for it.
        day = current.now().date().isoformat()
        secret = current.settings().secret_key
        g.address_key = keyed(secret, f"limits {day}", network(request.remote_addr or ""))
    return str(g.address_key)


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


class Decorated(Limiter):
    """Limits of decorated views only: those before every view would find none."""

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        if in_middleware:
            return
        try:
            super()._check_request_limit(callable_name, in_middleware)
        except self.storage.base_exceptions:
            # Another request found the store gone while this one asked it: both count here now.
            super()._check_request_limit(callable_name, in_middleware)


limiter = Decorated(key_func=address_key, strategy="moving-window", headers_enabled=False)


REPORTS = "reports"
"""The scope in which reports count together, however they arrive."""


def report_limits() -> str:
    """The limits for reports, from the settings."""
    return current.settings().report_limits


def register(app: Flask, settings: Settings) -> None:
    """Set the limiter up for this application's store."""
    options: dict[str, Any] = {}
    if settings.redis_url:
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        options = {
            "socket_connect_timeout": SOCKET_SECONDS,
            "socket_timeout": SOCKET_SECONDS,
            # The client would try again three times, and the reader wait for each.
            "retry": Retry(NoBackoff(), 0),
        }
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url or f"{windows.SCHEME}://",
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
    try:
        # Asks the store once more, which may be gone by now.
        reset_at = hit.reset_at
    except limiter.storage.base_exceptions:
        return longest
    return min(longest, max(1, math.ceil(reset_at - time.time())))
