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


LAST = "The council that met here said that it was the very last wrold"
FIRST = "Wrold it was that the council which met here had named in the very last speech."


@pytest.mark.parametrize(
    ("exact", "before", "after", "expected"),
    [
        ("wrold", LAST, LAST.replace("wrold", "planet"), "changed"),
        (" wrold", LAST, LAST.replace(" wrold", ""), "applied"),
        ("Wrold ", FIRST, FIRST.replace("Wrold", "Planet"), "changed"),
        ("Wrold ", FIRST, FIRST.replace("Wrold ", ""), "applied"),
    ],
)
def test_verdict_on_words_to_take_out_at_an_end_of_the_text(
    exact: str, before: str, after: str, expected: str
) -> None:
    assert became(before, exact, "", after)[0] == expected


def became(before: str, exact: str, suggestion: str, after: str) -> tuple[str, str]:
    """The verdict on an error of a text in a later one, and the words that stand there."""
    at = before.index(exact)
    end = at + len(exact)
    selector = Selector(exact, before[max(0, at - 64) : at], before[end : end + 64], at, end)
    outcome, anchor = verdict(selector, (suggestion,), after)
    return outcome, after[anchor.start : anchor.end]


COST = "The stadium by the river cost twelve million and opened in the spring of last year."
MAYOR = "The council that met here said that the mayor run the office for seven years."


@pytest.mark.parametrize(
    ("before", "exact", "suggestion", "old", "new"),
    [
        (COST, "million", "million euros", "million and", "million euros and"),
        (COST, "million", "million euros", "million and", "million euros but"),
        (COST, "million", "about a million", "cost twelve million", "was about a million"),
        (MAYOR, "run", "runs", "run the", "runs this"),
        (MAYOR, "run", "overrun", "mayor run", "mayors overrun"),
        ("市政府昨天宣布新馆明年春天开放届时市民都可以免费进入", "新馆", "新馆将", "新馆明年", "新馆将今年"),
        ("เมื่อวานนี้เทศบาลประกาศว่าห้องสมุดจะเปิดในฤดูใบไม้ผลิปีหน้า", "ห้องสมุด", "ห้องสมุดใหม่", "ห้องสมุดจะ", "ห้องสมุดใหม่ก็"),
    ],
)  # fmt: skip
def test_verdict_on_a_longer_wording(
    before: str, exact: str, suggestion: str, old: str, new: str
) -> None:
    assert became(before, exact, suggestion, before.replace(old, new)) == ("applied", suggestion)


POLICE = "About the hall, the police said that 12 people had been there and that they all left."
CAFE = "They met every week in the café near the station, where nobody knew who they were."


@pytest.mark.parametrize(
    ("before", "exact", "suggestion", "new", "expected"),
    [
        (POLICE, "12", "15", "15", "applied"),
        (POLICE, "12", "15", "150", "changed"),
        (POLICE, "12", "15", "15,000", "changed"),
        (POLICE, "12", "15", "15, perhaps 16,", "applied"),
        (CAFE, "café", "cafe", "cafe", "applied"),
        (CAFE, "café", "cafe", "cafe\u0301", "changed"),
        (BEFORE, "ba", "bra", "bra", "applied"),
        ("서울시는 어제 새 도서관이 내년 봄에 문을 열 것이라고 발표했다", "도서관", "박물관", "박물관", "applied"),
        ("市は昨日、新しい図書館が来年の春に開館すると発表した。", "図書館", "博物館", "博物館", "applied"),
    ],
)  # fmt: skip
def test_verdict_on_a_part_of_a_longer_word(
    before: str, exact: str, suggestion: str, new: str, expected: str
) -> None:
    assert became(before, exact, suggestion, before.replace(exact, new))[0] == expected


def test_verdict_without_suggestions_knows_only_changes() -> None:
    assert outcome(BEFORE) == "present"
    assert outcome(BEFORE.replace("libary", "library")) == "changed"
