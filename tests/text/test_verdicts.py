import pytest

from service.text import Selector, Verdict, verdict

BEFORE = "The chair said that the libary would stay open until the end of the year, as it does now."
START = BEFORE.index("libary")
SELECTOR = Selector("libary", BEFORE[:START], BEFORE[START + 6 :][:32], START, START + 6)


def outcome(text: str, *suggestions: str) -> str:
    result: Verdict = verdict(SELECTOR, suggestions, text)
    return result.outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BEFORE, "present"),
        ("Today: " + BEFORE, "present"),
        (BEFORE.replace("libary", "library"), "applied"),
        (BEFORE.replace("libary", "public library"), "applied"),
        (BEFORE.replace("libary", "reading room"), "applied"),
        (BEFORE.replace("libary", "museum"), "changed"),
        (BEFORE.replace("libary ", ""), "changed"),
        (BEFORE.replace("The chair said", "As its chair says,").replace("libary", "library"), "applied"),
        ("", "gone"),
        ("Nothing of the kind was ever said.", "gone"),
    ],
)  # fmt: skip
def test_verdict(text: str, expected: str) -> None:
    assert outcome(text, "library", "reading room") == expected


def test_verdict_on_words_to_take_out() -> None:
    text = "It is is so, as everybody in this town has known for a long time."
    selector = Selector("is ", "It is ", text[9:41], 6, 9)
    fixed = text.replace("is is", "is")
    assert verdict(selector, ("",), text).outcome == "present"
    assert verdict(selector, ("",), fixed).outcome == "applied"


def test_verdict_without_suggestions_knows_only_changes() -> None:
    assert outcome(BEFORE) == "present"
    assert outcome(BEFORE.replace("libary", "library")) == "changed"
