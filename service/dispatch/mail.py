"""Mail by SMTP (RFC 5321): one message to one person, within one deadline.

`smtp://` speaks TLS where the server offers it, `smtp+starttls://` and `smtps://` (TLS from the
first byte) insist on it; a password crosses no network without it. Certificates are checked.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from service.dispatch.client import DEADLINE_SECONDS, Answer, Fault, SendFailed
from service.dispatch.connections import trusting

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_ONE = re.compile(r'[\s,;:<>()\[\]\\"]')
READY, PERMANENT = 220, 500
ANSWER_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Mail:
    """Plain text for one mailbox; `id` makes the Message-ID, the same on every attempt."""

    id: UUID
    to: str
    subject: str
    text: str
    unsubscribe_url: str | None = None


def compose(mail: Mail, sender: str, *, at: datetime) -> EmailMessage:
    """The message as it is sent (RFC 5322, 8058); raises SendFailed where a header would break."""
    for value in (mail.to, mail.subject, mail.unsubscribe_url or ""):
        if not value.isprintable():
            raise SendFailed("content", "a header has a control character in it", is_final=True)
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = _address(mail.to)
    made["Subject"] = mail.subject
    made["Date"] = format_datetime(at)
    made["Message-ID"] = f"<{mail.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe_url:
        made["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(mail.text, cte="quoted-printable")
    return made


def _address(text: str) -> Address:
    name, _, domain = text.rpartition("@")
    if not name or not domain or _NOT_ONE.search(text) or "@" in name:
        raise SendFailed("content", "this is not one mail address", is_final=True)
    return Address(username=name, domain=domain)


class Mailer:
    """Hands messages to the SMTP server of the settings; safe to share between threads."""

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        seconds: float = DEADLINE_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server: SplitResult = urlsplit(url)
        self._sender = sender
        self._seconds = seconds
        self._tls = tls

    def send(self, mail: Mail, *, at: datetime) -> Answer:
        """Send one message and give back the server's last reply; raises SendFailed."""
        message = compose(mail, self._sender, at=at)
        is_ascii = mail.to.isascii()
        # Not `send_message`: it puts ">" before lines that begin with "From ".
        content = message.as_bytes(policy=SMTP if is_ascii else SMTPUTF8)
        sender, options = parseaddr(self._sender)[1], () if is_ascii else ("SMTPUTF8",)
        is_late = threading.Event()
        try:
            with self._connected(is_late) as smtp:
                smtp.sendmail(sender, [mail.to], content, options)
        except smtplib.SMTPRecipientsRefused as refused:
            raise _refused(*next(iter(refused.recipients.values()))) from None
        except smtplib.SMTPDataError as error:
            raise _refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise SendFailed("refused", str(error), is_final=True) from None
        except smtplib.SMTPResponseException as error:
            if is_late.is_set():
                raise self._broken(error, is_late) from None
            # The settings or the server may be mended: the message is not at fault.
            raise SendFailed("refused", _words(error.smtp_code, error.smtp_error)) from None
        except ssl.SSLError as error:
            raise SendFailed("tls", str(error.reason or error)[:200]) from None
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error, is_late) from None
        return Answer(250, "", None)

    def _broken(self, error: Exception, is_late: threading.Event) -> SendFailed:
        # smtplib turns a timeout of the socket into a connection that was closed.
        if is_late.is_set() or TimeoutError in {type(error), type(error.__context__)}:
            return SendFailed("timeout", f"no answer within {self._seconds:g} seconds")
        kind: Fault = "reset" if isinstance(error, smtplib.SMTPException) else "connect"
        return SendFailed(kind, str(error)[:200])

    @contextlib.contextmanager
    def _connected(self, is_late: threading.Event) -> Iterator[smtplib.SMTP]:
        smtp = self._make()
        watch = threading.Timer(self._seconds, _cut, (smtp, is_late))
        watch.daemon = True
        watch.start()
        try:
            code, said = smtp.connect(self._server.hostname or "", self._port)
            if code != READY:
                raise smtplib.SMTPConnectError(code, said)
            self._secure(smtp)
            yield smtp
            with contextlib.suppress(smtplib.SMTPException, OSError):
                # It has the message: what it says to a farewell does not matter.
                smtp.quit()
        finally:
            watch.cancel()
            smtp.close()

    @property
    def _port(self) -> int:
        return self._server.port or PORTS[self._server.scheme]

    def _make(self) -> smtplib.SMTP:
        made = (
            smtplib.SMTP_SSL(timeout=self._seconds, context=self._tls or trusting())
            if self._server.scheme == "smtps"
            else smtplib.SMTP(timeout=self._seconds)
        )
        # `connect` does not keep the name that the certificate has to be for.
        made._host = self._server.hostname  # type: ignore[attr-defined]
        return made

    def _secure(self, smtp: smtplib.SMTP) -> None:
        """Begin TLS and log in, as the URL asks."""
        smtp.ehlo_or_helo_if_needed()
        is_secure = self._server.scheme == "smtps"
        if not is_secure and smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls or trusting())
            smtp.ehlo()
            is_secure = True
        if self._server.scheme == "smtp+starttls" and not is_secure:
            raise SendFailed("tls", "the server offers no STARTTLS")
        if self._server.username:
            if not is_secure and self._server.hostname not in LOOPBACK:
                raise SendFailed("tls", "the password is not sent without TLS")
            if not smtp.has_extn("auth"):
                raise SendFailed("refused", "the server takes no password")
            smtp.login(unquote(self._server.username), unquote(self._server.password or ""))


def _cut(smtp: smtplib.SMTP, is_late: threading.Event) -> None:
    """End a connection whose time is over, however busy it looks."""
    is_late.set()
    sock: Any = smtp.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _refused(code: int, said: bytes | str) -> SendFailed:
    return SendFailed("refused", _words(code, said), is_final=code >= PERMANENT)


def _words(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(f"{code} {text}".split())[:ANSWER_CHARACTERS]
