"""How often one address may ask: moving windows, shared through Redis where one is set."""

import hashlib
import ipaddress
import math
import time
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any
from wsgiref.types import WSGIEnvironment

from flask import Flask, g, request
from flask_limiter import Limiter, RequestLimit
from flask_limiter._limits import RuntimeLimit
from flask_limiter.errors import RateLimitExceeded
from limits.storage import RedisStorage

from service.hashing import keyed
from service.settings import Settings
from service.web import current, windows
from service.web.current import KnownLimit, Parts

SOCKET_SECONDS = 0.075
"""A store that hangs costs the first request two of these: the call, and a check of the store.

Both together leave as much again of the quarter of a second in which a reader gets an answer.
"""


def address_key() -> str:
    """The reader's address (IPv6: its /64) as a hash under a key of the day; never the address."""
    key: str | None = g.get("address_key")
    if key is None:  # Every limit of a request asks for it.
        key = g.address_key = key_of(current.parts(), request.remote_addr or "")
    return key


def key_of(parts: Parts, address: str) -> str:
    """An address as it is counted under."""
    day_key = _day_key(parts.settings.secret_key, parts.clock().date())
    reader = network(address).encode()
    return hashlib.blake2b(reader, key=day_key, digest_size=16).hexdigest()


@lru_cache(maxsize=4)
def _day_key(secret_key: str, day: date) -> bytes:
    return keyed(secret_key, "limits", day.isoformat()).encode()


def network(address: str) -> str:
    """The address itself for IPv4, its /64 for IPv6 (mapped IPv4 addresses count as IPv4)."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


COUNTED = "corrigenda.counted"
"""Where a request's environment says how many of its limits have counted it already."""

PREFIX = "corrigenda"
"""What all names in the store begin with."""

TOGETHER = """
local now = tonumber(ARGV[1])
for at, name in ipairs(KEYS) do
  local most, seconds = tonumber(ARGV[2 * at]), tonumber(ARGV[2 * at + 1])
  local first = redis.call('LINDEX', name, most - 1)
  if first and tonumber(first) >= now - seconds and tonumber(first) <= now + 5 then
    return at - 1
  end
  redis.call('LPUSH', name, ARGV[1])
  redis.call('LTRIM', name, 0, most - 1)
  redis.call('EXPIRE', name, seconds)
end
return #KEYS
"""
"""Counts up to the first window that is full; in the lists of instants that the library keeps.

What lies ahead was counted by a clock that has been put back since; those of two machines differ
by less.
"""


class Decorated(Limiter):
    """Limits of decorated views, and no others: none for all views, no exemptions, no headers.

    While the store answers, it is asked for each of them and for nothing else. Without it the
    library counts in this process's memory, and looks for the store again ever more rarely.
    """

    def init_app(self, app: Flask) -> None:
        """Set up the store; an application that has the limiter already is given no hooks."""
        app.extensions["limiter"] = {self}
        super().init_app(app)
        store: Any = self.storage
        # A cluster of them would keep the names in several places.
        is_one = type(store) is RedisStorage
        self._together = store.storage.register_script(TOGETHER) if is_one else None

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        try:
            if self._storage_dead:
                super()._check_request_limit(callable_name, in_middleware)
            else:
                self._count(callable_name or "")
        except self.storage.base_exceptions:
            # Another request may have found it gone too, while this one asked it.
            self.logger.warning("storage of limits unreachable - falling back to in-memory storage")
            self._storage_dead = True
            super()._check_request_limit(callable_name, in_middleware)

    def _count(self, name: str) -> None:
        """Count the request of a view; raises RateLimitExceeded at the first limit reached."""
        asked = (name, request.endpoint or "", request.method)
        for known in self.of(current.parts(), *asked)[request.environ.get(COUNTED, 0) :]:
            limit, who = known.limit, known.limit.key_func()
            if not self._acquire(known, who):
                self.context.view_rate_limit = RequestLimit(
                    self,
                    limit.limit,
                    [PREFIX, who, known.scope],
                    breached=True,
                    shared=limit.shared,
                )
                raise RateLimitExceeded(limit)

    def _acquire(self, known: KnownLimit, who: str) -> bool:
        store: Any = self.storage
        return bool(store.acquire_entry(known.name_of(who), known.most, known.seconds))

    def allows(self, environ: WSGIEnvironment, limits: Sequence[KnownLimit], who: str) -> bool:
        """Whether all of these limits, who asks being known, let a request through.

        Where one does not, or cannot be asked, the environment says how many have counted it.
        """
        environ[COUNTED] = 0
        if self._storage_dead:
            return False
        try:
            if self._together:
                environ[COUNTED] = self._together(*_windows(self.storage, limits, who))
            else:
                for known in limits:
                    if not self._acquire(known, who):
                        return False
                    environ[COUNTED] += 1
        except self.storage.base_exceptions:
            return False
        return bool(environ[COUNTED] == len(limits))

    def of(self, parts: Parts, name: str, endpoint: str, method: str) -> Sequence[KnownLimit]:
        """Those of a view, the shortest first, as the application's settings have them.

        In the application's context.
        """
        known, asked = parts.limits, (name, endpoint, method)
        if asked not in known:
            limits = sorted(self.limit_manager.decorated_limits(name), key=attrgetter("limit"))
            known[asked] = [_known(limit, endpoint, method) for limit in limits]
        return known[asked]


def _windows(store: Any, limits: Sequence[KnownLimit], who: str) -> tuple[list[str], list[float]]:
    """The names and numbers that `TOGETHER` is given."""
    numbers = [time.time()]
    for known in limits:
        numbers += known.most, known.seconds
    return [store.prefixed_key(known.name_of(who)) for known in limits], numbers


def _known(limit: RuntimeLimit, endpoint: str, method: str) -> KnownLimit:
    item, scope, mark = limit.limit, limit.scope_for(endpoint, method), "\0"
    # Put together by the library once, and not for everybody who asks.
    before, _, after = item.key_for(PREFIX, mark, scope).partition(mark)
    return KnownLimit(limit, scope, before, after, item.amount, item.get_expiry())


limiter = Decorated(
    key_func=address_key, strategy="moving-window", headers_enabled=False, key_prefix=PREFIX
)

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
