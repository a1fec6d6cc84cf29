"""Which Host headers are answered: the service's own names, in any case, with any port."""

from collections.abc import Set as AbstractSet

from flask import Flask
from flask.globals import request_ctx
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import get_host

from service.settings import Settings


def register(app: Flask, settings: Settings) -> None:
    """Refuse requests for other hosts before anything else looks at them.

    Flask's own TRUSTED_HOSTS knows no IPv6 literals, and no capitals.
    """
    known = settings.hosts

    @app.before_request
    def check() -> None:
        asked = request_ctx.request
        if not are_ours(asked.headers.get("Host"), known):
            raise SecurityError(f"Host {asked.headers.get('Host')!r} is not trusted.")


def are_ours(header: str | None, known: AbstractSet[str]) -> bool:
    """Whether a Host header (RFC 9110, 7.2) is well formed and names one of these hosts."""
    host = get_host("http", (header or "").lower())
    name, port = host.rpartition(":")[::2] if not host.endswith("]") else (host, "")
    return (name if port.isdecimal() else host) in known
