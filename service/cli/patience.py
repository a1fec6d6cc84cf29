"""Gunicorn's event loop, with an end to patience; connections at rest do not hold up a stop."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from gunicorn.asgi import protocol
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

if TYPE_CHECKING:
    from service.cli.serve import Server

READ_BYTES = 64 * 1024
"""So much is read at once: asyncio's own 256 KiB would be mapped and given back each time."""

HEAD_SECONDS = 30
"""So long a connection may take over its first request's head."""


class Connection(ASGIProtocol):
    """A connection that is closed where no request comes, or where the server stops meanwhile."""

    worker: "Worker"

    def connection_made(self, transport: Any) -> None:
        """Wait for the first head."""
        transport.max_size = READ_BYTES
        super().connection_made(transport)
        self.worker.connections.add(self)
        self._head = self.worker.loop.call_later(HEAD_SECONDS, self.close_at_rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._head.cancel()
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    def close_at_rest(self) -> None:
        """Close it unless a request is being answered."""
        if self._awaiting_request:  # type: ignore[attr-defined] # the stubs leave out all such names
            self._keepalive_timeout()  # type: ignore[attr-defined] # another of these names


class Worker(gasgi.ASGIWorker):
    """A serving process."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.connections: set[Connection] = set()

    async def _shutdown(self) -> None:
        # What delivers beside it has no more time than the answers have.
        if dispatch := cast("Server", self.app).dispatch:
            dispatch.stop()
        for each in list(self.connections):
            each.close_at_rest()
        await super()._shutdown()  # type: ignore[misc] # another of these names


# The worker makes its connections of the class by this name, and has no other way to choose one.
gasgi.ASGIProtocol = Connection  # type: ignore[attr-defined] # the stubs have no imported names

# Its table leaves out some that are answered here, such as 412.
for each in HTTPStatus:
    protocol._REASON_PHRASES.setdefault(each.value, each.phrase)  # type: ignore[attr-defined] # the stubs leave it out
