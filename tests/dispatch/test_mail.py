import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.dispatch.client import SendFailed
from service.dispatch.mail import Mail, Mailer, compose
from tests.dispatch.mailbox import receiving
from tests.dispatch.receivers import (
    Misbehaving,
    drip_head,
    hang,
    misbehaving,
    reset,
    trusting_tls,
)

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SENDER = "The Daily <corrections@news.example>"
MAIL = Mail(
    ID,
    "reader@example.org",
    "Виправлено: “слово”",
    "Дякуємо!\n.\nFrom us.\n",
    "https://x.example/s",
)


def mailer(port: int, scheme: str = "smtp", who: str = "", **options: object) -> Mailer:
    return Mailer(f"{scheme}://{who}127.0.0.1:{port}", SENDER, tls=trusting_tls(), **options)  # type: ignore[arg-type]


def failure(made: Mailer, mail: Mail = MAIL) -> SendFailed:
    with pytest.raises(SendFailed) as raised:
        made.send(mail, at=AT)
    return raised.value


def test_send_plain_text_that_mail_programs_understand() -> None:
    with receiving() as mailbox:
        assert mailer(mailbox.port).send(MAIL, at=AT).is_success
        [got] = mailbox.messages
    assert mailbox.recipients == ["reader@example.org"]
    assert dict(got.items()) == {
        "From": "The Daily <corrections@news.example>",
        "To": "reader@example.org",
        "Subject": "Виправлено: “слово”",
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "Message-ID": f"<{ID}@news.example>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": "<https://x.example/s>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }
    assert got.get_content().replace("\r\n", "\n") == "Дякуємо!\n.\nFrom us.\n"


def test_send_to_an_address_in_another_script() -> None:
    with receiving() as mailbox:
        mailer(mailbox.port).send(replace(MAIL, to="читач@приклад.example"), at=AT)
        [got] = mailbox.messages
    assert mailbox.recipients == ["читач@приклад.example"]
    assert got["To"] == "читач@приклад.example"


def test_send_speaks_tls_where_it_is_offered_and_logs_in() -> None:
    with receiving(starttls=True, password="p@ss") as mailbox:
        mailer(mailbox.port, who="desk:p%40ss@").send(MAIL, at=AT)
    assert mailbox.logins == [("desk", "p@ss", True)]
    assert len(mailbox.raw) == 1


def test_send_tls_from_the_first_byte() -> None:
    with receiving(tls=True, password="p") as mailbox:
        mailer(mailbox.port, "smtps", "desk:p@").send(MAIL, at=AT)
    assert mailbox.logins == [("desk", "p", True)]


def test_send_tls_that_is_asked_for_and_not_offered() -> None:
    with receiving() as mailbox:
        failed = failure(mailer(mailbox.port, "smtp+starttls"))
        assert str(failed) == "tls: the server offers no STARTTLS"
    assert mailbox.raw == []


def test_send_certificate_that_nobody_trusts() -> None:
    with receiving(starttls=True) as mailbox:
        failed = failure(Mailer(f"smtp://127.0.0.1:{mailbox.port}", SENDER))
        assert (failed.kind, failed.is_final) == ("tls", False)
    assert mailbox.raw == []


def test_send_wrong_password_may_be_mended() -> None:
    with receiving(starttls=True, password="p") as mailbox:
        failed = failure(mailer(mailbox.port, who="desk:q@"))
    assert (failed.kind, failed.is_final) == ("refused", False)
    assert "535" in failed.detail
    assert mailbox.raw == []


@pytest.mark.parametrize(
    ("reply", "is_final"), [("451 Later, please", False), ("550 No such mailbox", True)]
)
def test_send_refused_for_now_or_for_good(reply: str, is_final: bool) -> None:
    with receiving(replies=[reply]) as mailbox:
        failed = failure(mailer(mailbox.port))
    assert (failed.kind, failed.detail, failed.is_final) == ("refused", reply, is_final)
    assert mailbox.raw == []


@pytest.mark.parametrize(
    ("replies", "who"),
    [
        (["554 Not you"], ""),
        (["220 Hello", "502 What?", "550 Not you"], ""),
        (["220 Hello", "250 STARTTLS", "501 Not now"], ""),
        (["220 Hello", "250 Hello", "530 Log in first"], ""),
        (["220 Hello", "250 Hello", "550 Not from there"], ""),
        (["220 Hello", "250 AUTH PLAIN", "535 Wrong"], "desk:q@"),
        (["220 Hello", "250 Hello"], "desk:q@"),
    ],
)
def test_send_refused_whatever_the_letter_is_tried_again(replies: list[str], who: str) -> None:
    with misbehaving(answering(*replies), reads=False) as server:
        failed = failure(mailer(server.port, who=who))
    says = replies[-1] if len(replies) != 2 else "the server takes no password"
    assert (failed.kind, failed.detail, failed.is_final) == ("refused", says, False)


def test_send_content_that_is_refused_for_good() -> None:
    replies = ["220 Hello", "250 Hello", "250 OK", "250 OK", "354 Go on", "554 Spam"]
    with misbehaving(answering(*replies), reads=False) as server:
        failed = failure(mailer(server.port))
    assert (failed.kind, failed.detail, failed.is_final) == ("refused", "554 Spam", True)


def answering(*replies: str) -> Callable[[Misbehaving, socket.socket], None]:
    """A mail server's replies, the greeting first; it hangs up after the last."""

    def answer(server: Misbehaving, connection: socket.socket) -> None:
        greeting, *rest = replies
        server.send(connection, f"{greeting}\r\n".encode())
        with connection.makefile("rb") as heard:
            is_content = False
            for reply in rest:
                while heard.readline() != b".\r\n" and is_content:
                    pass
                is_content = reply.startswith("354")
                said = reply.replace("250 ", "250-mail.example\r\n250 ")
                server.send(connection, f"{said}\r\n".encode())

    return answer


def test_send_a_server_that_does_not_answer_ends_at_the_deadline() -> None:
    for fault in (hang, drip_head):
        with misbehaving(fault, reads=False) as server:
            began = time.monotonic()
            failed = failure(mailer(server.port, seconds=0.7))
            assert time.monotonic() - began < 5
        assert str(failed) == "timeout: no answer within 0.7 seconds"


def test_send_no_server_and_one_that_hangs_up() -> None:
    with misbehaving(reset, reads=False) as server:
        assert failure(mailer(server.port)).kind in {"reset", "connect"}
        port = server.port
    assert failure(mailer(port)).kind == "connect"


@pytest.mark.parametrize(
    "bad",
    [
        Mail(ID, "a@b.example\r\nBcc: c@d.example", "Subject", ""),
        Mail(ID, "a@b.example, c@d.example", "Subject", ""),
        Mail(ID, "nobody", "Subject", ""),
        Mail(ID, "a@b.example", "Subject\r\nBcc: c@d.example", ""),
        Mail(ID, "a@b.example", "Subject\nBcc: c@d.example", ""),
        Mail(ID, "a@b.example", "Subject\0", ""),
        Mail(ID, "a@b.example", "Subject", "", "https://x.example/\r\nBcc: c@d.example"),
    ],
)
def test_compose_refuses_what_would_be_another_header(bad: Mail) -> None:
    with pytest.raises(SendFailed) as raised:
        compose(bad, SENDER, at=AT)
    assert (raised.value.kind, raised.value.is_final) == ("content", True)
