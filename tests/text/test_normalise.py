import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text import normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wrold", "wrold"),
        ("  a \n\n b\t", "a b"),
        ("a\u00a0b\u202fc\u3000d", "a b c d"),
        ("“quoted” «так» „da“", '"quoted" "так" "da"'),
        ("it’s", "it's"),
        ("під'їзд", "підʼїзд"),
        ("2020–2025 — x", "2020-2025 - x"),
        ("Donau\u00addampf", "Donaudampf"),
        ("a\u200bb\u2060c\ufeffd", "abcd"),
        ("\u200fאבג\u200e", "אבג"),
        ("cafe\u0301", "café"),
        ("STRASSE", "straße"),
        ("ΣΟΦΟΣ", "σοφος"),
    ],
)
def test_alike(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("wrold", "world"), ("a b", "ab"), ("cafe", "café"), ("1,5", "1.5"), ("й", "и"), ("!", "?")],
)
def test_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text())
def test_twice_is_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_white_space_is_single_and_inside(text: str) -> None:
    assert normalise(text) == " ".join(normalise(text).split())


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_as_in_any_other_text(text: str) -> None:
    among_others = normalise(f"и {text} и").removeprefix("и").removesuffix("и")
    assert normalise(text) == among_others.strip()
