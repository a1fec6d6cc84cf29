"""What each medium is sent: golden files, with everything in them that a reader could try."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from service.dispatch import notes
from service.dispatch.channels import CHATS, mail
from service.dispatch.mail import compose
from service.dispatch.notes import Note, Told
from service.models import Medium
from tests.dispatch.goldens import check

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = {
    Medium.SLACK: {"url": "https://hooks.slack.example/services/T/B/x"},
    Medium.MATTERMOST: {"url": "https://chat.example/hooks/x"},
    Medium.DISCORD: {"url": "https://discord.example/api/webhooks/1/x"},
    Medium.TELEGRAM: {"token": "1:x", "chat": "-100", "server": ""},
    Medium.TEAMS: {"url": "https://teams.example/workflows/x"},
}
HOSTILE = (
    "<!channel> <@U1> @everyone @here *b* _i_ ~s~ `c` [x](https://evil.example) "
    '<a href="https://evil.example">y</a> &amp; \\* |\u202e\u200b\r\nBcc: x@evil.example'
)


def correction(number: int, kind: str = "correction.created", **more: Any) -> Told:
    data = {
        "id": str(UUID(int=number)),
        "article": {"url": "https://news.example/a", "title": "Night buses"},
        "selector": [{"type": "TextQuoteSelector", "exact": f"wrold {number}"}],
        "suggestions": [{"text": f"world {number}", "count": 1}],
        "report_count": 1,
        "reports": [],
        "wording": None,
    }
    return Told(kind, {**data, **more})


def note(*told: Told, language: str = "en") -> Note:
    return notes.about(
        told,
        site_name="The Daily",
        language=language,
        public_url="https://corrections.example",
        stop_url="https://corrections.example/channels/1/stop/x",
    )


def hostile() -> Note:
    return note(
        correction(
            1,
            article={"url": "https://news.example/h", "title": HOSTILE[:60]},
            selector=[{"exact": HOSTILE[:60]}],
            suggestions=[{"text": HOSTILE[60:120], "count": 3}],
            report_count=3,
        ),
        correction(
            2,
            article={"url": "https://news.example/i", "title": HOSTILE[60:]},
            selector=[],
            suggestions=[],
            reports=[{"comment": HOSTILE[100:]}],
        ),
    )


def burst() -> Note:
    return note(*(correction(number) for number in range(1, 13)))


NOTES = {"hostile": hostile, "burst": burst}


@pytest.mark.parametrize("medium", list(CHATS))
@pytest.mark.parametrize("name", list(NOTES))
def test_payload_is_the_golden_one(medium: Medium, name: str) -> None:
    made = CHATS[medium].payload(SECRET[medium], NOTES[name](), "en")
    check(f"{medium}-{name}.json", json.dumps(made, ensure_ascii=False, indent=2) + "\n")


@pytest.mark.parametrize("name", list(NOTES))
def test_mail_is_the_golden_one(name: str) -> None:
    made = mail.compose("desk@news.example", NOTES[name](), "en", UUID(int=7))
    message = compose(made, "The Daily <corrections@news.example>", at=AT)
    check(f"mail-{name}.txt", message.as_bytes().decode().replace("\r\n", "\n"))


def test_address_of_each_medium() -> None:
    addresses = {medium: chat.address(SECRET[medium]) for medium, chat in CHATS.items()}
    assert addresses == {
        Medium.SLACK: "https://hooks.slack.example/services/T/B/x",
        Medium.MATTERMOST: "https://chat.example/hooks/x",
        Medium.DISCORD: "https://discord.example/api/webhooks/1/x",
        Medium.TELEGRAM: "https://api.telegram.org/bot1:x/sendMessage",
        Medium.TEAMS: "https://teams.example/workflows/x",
    }


@pytest.mark.parametrize("words", ["<*", "&", "'", "_", "@", "😀"])
@pytest.mark.parametrize(
    "address", ["https://news.example/{}", "https://news.example" + 2000 * "/"]
)
def test_no_medium_is_sent_more_than_it_takes(words: str, address: str) -> None:
    worst = note(
        *(
            correction(
                number,
                article={"url": address.format(number), "title": words * 250},
                selector=[{"exact": words * 250}],
                suggestions=[{"text": words * 500, "count": 1}],
            )
            for number in range(1, 500)
        )
    )
    made = {medium: chat.payload(SECRET[medium], worst, "en") for medium, chat in CHATS.items()}
    assert len(made[Medium.SLACK]["blocks"][0]["text"]["text"]) <= 3000
    assert len(made[Medium.MATTERMOST]["text"]) <= 4000
    assert len(made[Medium.DISCORD]["content"]) <= 2000
    assert len(made[Medium.DISCORD]["embeds"][0]["description"]) <= 4096
    assert len(made[Medium.TELEGRAM]["text"]) <= 4096
    assert len(json.dumps(made[Medium.TEAMS])) <= 28 * 1024


def test_payload_counts_what_it_has_no_room_for() -> None:
    told = [
        correction(
            number,
            article={"url": f"https://news.example/{number}", "title": "&" * 60},
            selector=[{"exact": "&" * 60}],
            suggestions=[{"text": "&" * 60, "count": 1}],
        )
        for number in range(1, 6)
    ]
    payload = CHATS[Medium.SLACK].payload(SECRET[Medium.SLACK], note(*told), "en")
    lines = payload["blocks"][0]["text"]["text"].splitlines()
    assert [line.startswith("• ") for line in lines].count(True) == 2
    assert lines[-2] == "and 3 more"


def test_note_tells_of_a_correction_once_as_it_is_now() -> None:
    made = note(
        correction(1),
        correction(2),
        correction(1, "correction.accepted", wording="the world", report_count=4),
    )
    assert made.headline == "2 corrections to “Night buses”"
    assert [(line.lead, line.text) for line in made.groups[0].lines] == [
        ("New", "“wrold 2” → “world 2”"),
        ("Accepted · 4 reports", "“wrold 1” → “the world”"),
    ]
    assert made.url == "https://corrections.example/review?article=https%3A%2F%2Fnews.example%2Fa"


def test_note_of_a_long_address_leads_to_the_whole_queue() -> None:
    made = note(correction(1, article={"url": f"https://news.example/{'/' * 400}", "title": None}))
    assert made.url == "https://corrections.example/review"


def test_note_without_words_to_replace() -> None:
    made = note(
        correction(1, suggestions=[{"text": "", "count": 1}]),
        correction(2, suggestions=[], reports=[{"comment": None}, {"comment": "Is it?"}]),
        correction(3, selector=[], suggestions=[], reports=[{"comment": "All of it"}]),
        correction(4, selector=[], suggestions=[]),
        correction(5, suggestions=[]),
    )
    assert [line.text for line in made.groups[0].lines] == [
        "“wrold 1” → (delete)",
        "“wrold 2”: Is it?",
        "All of it",
        "About the whole page",
        "“wrold 5”",
    ]


def test_note_of_several_articles_leads_to_the_whole_queue() -> None:
    other = {"url": "https://news.example/b", "title": None}
    made = note(correction(1), correction(2, article=other))
    assert made.headline == "2 corrections to 2 articles of The Daily"
    assert [group.title for group in made.groups] == ["Night buses", "https://news.example/b"]
    assert made.url == "https://corrections.example/review"
