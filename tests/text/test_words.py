import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.words import graphemes, is_edge, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Hello,  world!", ["Hello", ",", "  ", "world", "!"]),
        ("don't rock’n’roll U.S.", ["don't", " ", "rock’n’roll", " ", "U.S", "."]),
        ("3.14 1,000 5%", ["3.14", " ", "1,000", " ", "5", "%"]),
        ("snake_case x2", ["snake_case", " ", "x2"]),
        ("під’їзд — так", ["під’їзд", " ", "—", " ", "так"]),
        ("हिन्दी में", ["हिन्दी", " ", "में"]),
        ("한국어 문장", ["한국어", " ", "문장"]),
        ("日本語です。", ["日", "本", "語", "で", "す", "。"]),
        ("Pythonで", ["Python", "で"]),
        ("ไทยคำ", ["ไ", "ท", "ย", "ค", "\u0e33"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("قَالَ شيئًا", ["قَالَ", " ", "شيئًا"]),
        ("co\u00adop", ["co\u00adop"]),
        ("a👍🏽b", ["a", "👍🏽", "b"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("e\u0301a", ["e\u0301", "a"]),
        ("👩‍👩‍👧x", ["👩‍👩‍👧", "x"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🇺🇦🇩🇪", ["🇺🇦", "🇩🇪"]),
        ("❤️", ["❤️"]),
        ("a\r\nb", ["a", "\r\n", "b"]),
        ("\u0301a", ["\u0301", "a"]),
    ],
)
def test_graphemes(text: str, found: list[str]) -> None:
    assert graphemes(text) == found


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("", [0]),
        ("150 men", [0, 3, 4, 7]),
        ("1.5, no", [0, 3, 4, 5, 7]),
        ("cafe\u0301s", [0, 6]),
        ("日本語で", [0, 1, 2, 3, 4]),
        ("ไทย", [0, 1, 2, 3]),
    ],
)
def test_edges(text: str, edges: list[int]) -> None:
    assert [at for at in range(len(text) + 1) if is_edge(text, at)] == edges


def test_edges_in_a_long_text() -> None:
    text = "council " * 100
    assert [at for at in range(392, 401) if is_edge(text, at)] == [392, 399, 400]


@given(st.text())
def test_joined_they_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text
    assert "".join(graphemes(text)) == text
