"""A real SMTP server on a free port: what arrives is kept, and it refuses what it is told to."""

import contextlib
import email
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.dispatch.receivers import server_tls
from tests.servers import PATIENCE, free_port


@dataclass
class Mailbox:
    """`replies` are given to RCPT in turn before mail is taken."""

    replies: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    """User, password, whether TLS was spoken."""
    before_answer: Callable[[], None] = lambda: None
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any
    ) -> str:
        if self.replies:
            return self.replies.pop(0)
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.raw.append(envelope.original_content)
        self.recipients += envelope.rcpt_tos
        self.before_answer()
        return "250 OK"

    @property
    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=default) for raw in self.raw]  # type: ignore[misc]

    def wait_for(self, count: int, seconds: float = PATIENCE) -> list[EmailMessage]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.raw) >= count:
                return self.messages
            time.sleep(0.02)
        raise AssertionError(f"{len(self.raw)} of {count} arrived within {seconds} s")


@contextlib.contextmanager
def receiving(
    *,
    starttls: bool = False,
    tls: bool = False,
    password: str | None = None,
    replies: list[str] | None = None,
    before_answer: Callable[[], None] = lambda: None,
) -> Iterator[Mailbox]:
    """A server for the length of a block."""
    mailbox = Mailbox(replies or [], before_answer=before_answer)

    def login(server: Any, _s: Any, _e: Any, _m: str, data: Any) -> AuthResult:
        user, given = data.login.decode(), data.password.decode()
        is_secure = server._tls_protocol is not None or tls
        mailbox.logins.append((user, given, is_secure))
        return AuthResult(success=given == password, handled=False)

    options: dict[str, Any] = {"enable_SMTPUTF8": True}
    if password:
        options |= {"authenticator": login, "auth_require_tls": False}
    if starttls:
        options["tls_context"] = server_tls()
    mailbox.port = free_port()
    context = server_tls() if tls else None
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=mailbox.port, ssl_context=context, **options
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
