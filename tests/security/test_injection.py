"""Readers' words in what the newsroom is told: mail, Slack, Mattermost, Discord, Telegram, Teams, webhooks."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.dispatch import mail, notes
from service.dispatch.channels import CHATS
from service.dispatch.channels import mail as newsroom
from service.dispatch.client import SendFailed
from service.dispatch.mail import Mail
from service.dispatch.notes import Note
from service.models import Medium
from tests.dispatch.test_channels import AT, SECRET, correction
from tests.security.payloads import COMMANDS, LINES, SCRIPTS
from tests.security.tally import Tally

ROW = "mail, Slack, Markdown, log, header injection"

OURS = "https://corrections.example"
PAYLOADS = [*COMMANDS, *LINES, *SCRIPTS]


def note(words: str) -> Note:
    """The words everywhere a reader or an editor may have put them."""
    article = {"url": "https://news.example/?" + words, "title": words}
    first = correction(
        1,
        article=article,
        selector=[{"exact": words}],
        suggestions=[{"text": words, "count": 2}],
        report_count=2,
    )
    other = {
        "article": {**article, "url": "https://news.example/b"},
        "selector": [],
        "suggestions": [],
    }
    second = correction(2, **other, reports=[{"comment": words}])
    return notes.about(
        [first, second],
        site_name=words,
        language="en",
        public_url=OURS,
        stop_url=f"{OURS}/channels/1/stop/x",
    )


def strings(value: Any) -> Iterator[str]:
    """All texts of a payload."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name != "$schema":
                yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def slack(payload: dict[str, Any]) -> bool:
    """Nothing is between angle brackets but links of our own, and every `&` begins an entity."""
    texts = [payload["text"], payload["blocks"][0]["text"]["text"]]
    commands = [each for text in texts for each in re.findall(r"<[^>]*>?", text)]
    return (
        all(re.fullmatch(rf"<{OURS}/[^|<>]*\|[^|<>]*>", each) for each in commands)
        and not any(re.search(r"&(?!amp;|lt;|gt;)", text) for text in texts)
        and payload["blocks"][0]["text"]["verbatim"] is True
        and len(payload["blocks"]) == 1
    )


def markdown(text: str) -> bool:
    """Without escaped characters and our own links nothing is left that Markdown knows."""
    plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", text)
    ours = re.sub(rf"\[[^\[\]]*\]\(<{OURS}/[^<>]*>\)", "", plain)
    # Our own headline is bold on Mattermost.
    return not re.search(r"[\\`*_\[\]#~|<>]|@(?!\u200b)", ours.replace("**", "", 2))


def discord(payload: dict[str, Any]) -> bool:
    return payload["allowed_mentions"] == {"parse": []} and all(
        markdown(text) for text in (payload["content"], payload["embeds"][0]["description"])
    )


def mattermost(payload: dict[str, Any]) -> bool:
    return set(payload) == {"text"} and markdown(re.sub(r"&(amp|lt|gt);", "", payload["text"]))


class Tags(HTMLParser):
    """What Telegram would take for markup."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[Any, ...]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attributes)))

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", (data,)))

    handle_decl = unknown_decl = handle_pi = handle_comment


def telegram(payload: dict[str, Any]) -> bool:
    return payload["parse_mode"] == "HTML" and all(
        (tag, attributes) == ("b", ())
        or (tag == "a" and len(attributes) == 1 and attributes[0][1].startswith(OURS + "/"))
        for tag, attributes in Tags(payload["text"]).tags
    )


def teams(payload: dict[str, Any]) -> bool:
    """Words are in text runs only, and every action opens a page of ours."""
    card = payload["attachments"][0]["content"]
    runs = [run for block in card["body"] for run in block["inlines"]]
    actions = [*card["actions"], *[run["selectAction"] for run in runs if "selectAction" in run]]
    return (
        {block["type"] for block in card["body"]} == {"RichTextBlock"}
        and {run["type"] for run in runs} == {"TextRun"}
        and all(
            action["type"] == "Action.OpenUrl" and action["url"].startswith(OURS + "/")
            for action in actions
        )
    )


HOLDS: dict[Medium, Callable[[dict[str, Any]], bool]] = {
    Medium.SLACK: slack,
    Medium.DISCORD: discord,
    Medium.MATTERMOST: mattermost,
    Medium.TELEGRAM: telegram,
    Medium.TEAMS: teams,
}


@pytest.mark.parametrize("medium", list(CHATS))
def test_words_stay_words_in_every_chat(medium: Medium, tally: Tally) -> None:
    for words in PAYLOADS:
        made = CHATS[medium].payload(SECRET[medium], note(words), "en")
        # A line of the chat is a line of ours: nobody's words begin one.
        lines = [
            line
            for text in strings(made)
            for line in re.split(r"[\r\x0b\x0c\x85\u2028\u2029]", text)
        ]
        is_whole = len(lines) == len([*strings(made)])
        tally.add((medium, words, made), held=HOLDS[medium](made) and is_whole)


def test_each_check_of_a_chat_finds_what_is_not_escaped() -> None:
    """The checks are no ornament: a chat that forgot to escape would be found out."""
    for medium, holds in HOLDS.items():
        made = CHATS[medium].payload(SECRET[medium], note("words"), "en")
        assert holds(made)
        evil = {
            Medium.SLACK: lambda made: made.update(text="<!channel>"),
            Medium.DISCORD: lambda made: made.update(content="[x](https://evil.example)"),
            Medium.MATTERMOST: lambda made: made.update(text="@all"),
            Medium.TELEGRAM: lambda made: made.update(text='<a href="https://evil.example">x</a>'),
            Medium.TEAMS: lambda made: made["attachments"][0]["content"]["body"].append(
                {"type": "TextBlock", "text": "[x](https://evil.example)", "inlines": []}
            ),
        }[medium]
        evil(made)
        assert not holds(made)


HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe",
    "List-Unsubscribe-Post", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
]  # fmt: skip


def is_plain(message: bytes) -> bool:
    """One part of plain text for one address, under our own headers and no others."""
    read = email.message_from_bytes(message, policy=email.policy.SMTP)
    return (
        sorted(read.keys()) == sorted(HEADERS)
        and read["To"] == "desk@news.example"
        and read.get_content_type() == "text/plain"
        and read["List-Unsubscribe"] == f"<{OURS}/channels/1/stop/x>"
    )


def test_words_stay_words_in_mail_to_the_newsroom(tally: Tally) -> None:
    for words in PAYLOADS:
        made = newsroom.compose("desk@news.example", note(words), "en", UUID(int=7))
        message = mail.compose(made, "The Daily <corrections@news.example>", at=AT)
        tally.add(("mail", words), held=is_plain(message.as_bytes()))


@pytest.mark.parametrize("field", ["to", "subject", "unsubscribe_url"])
def test_mail_with_a_line_in_a_header_is_not_sent(field: str, tally: Tally) -> None:
    for line in LINES:
        sent = {"to": "desk@news.example", "subject": "Words", "unsubscribe_url": OURS}
        made = Mail(UUID(int=7), text=line, **{**sent, field: sent[field] + line})
        try:
            mail.compose(made, "corrections@news.example", at=datetime.now(UTC))
        except SendFailed as failed:
            tally.add((field, line), held=failed.kind == "content" and failed.is_final)
        else:
            tally.add((field, line), held=False)


ADDRESSES = [
    "a@news.example, all@evil.example",
    "a@news.example;all@evil.example",
    "a@news.example all@evil.example",
    "a@news.example>\r\nRCPT TO:<all@evil.example",
    "<a@news.example>",
    "A <a@news.example>",
    "a@news.example (b)",
    '"a b"@news.example',
    "@evil.example:a@news.example",
    "a@b@news.example",
    "group:a@news.example;",
    "a",
    "@news.example",
    "a@",
]


def test_mail_goes_to_one_address_or_to_none(tally: Tally) -> None:
    for address in ADDRESSES:
        made = Mail(UUID(int=7), address, "Words", "Words")
        with pytest.raises(SendFailed) as refused:
            mail.compose(made, "corrections@news.example", at=AT)
        tally.add(("to", address), held=refused.value.kind == "content")


BAD_HEADERS = [
    *[{"X-Key": f"a{line}"} for line in LINES if not line.startswith("Subject")],
    *[{f"X-Key{line}": "a"} for line in LINES if not line.startswith("Subject")],
    *[
        {name: "a"}
        for name in (
            "Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Trailer",
            "Expect", "Content-Type", "User-Agent", "webhook-id", "Webhook-Signature", "webhook-timestamp",
            "X Key", "X:Key", "", " X-Key", "X-Kéy", "X-Key\0",
        )
    ],
    {"X-Key": "ключ"},
    {"X-Key": "a\x7f"},
    {"X-Key": "a" * 5000},
]  # fmt: skip


def test_webhooks_own_headers_bring_no_line_and_none_of_ours(
    client: FlaskClient, bearer: dict[str, str], tally: Tally
) -> None:
    for headers in BAD_HEADERS:
        sent = {"url": "https://8.8.8.8/", "headers": headers}
        answer = client.post("/api/v1/webhooks", json=sent, headers=bearer)
        tally.add((headers, answer.status_code), held=answer.status_code == 422)
