from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text import Piece, whole_word_diff, word_diff

SIGNS = {"same": "=", "delete": "-", "insert": "+"}


def signed(before: str, after: str) -> list[str]:
    return [SIGNS[kind] + text for kind, text in word_diff(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", []),
        ("same", "same", ["=same"]),
        ("", "new", ["+new"]),
        ("old", "", ["-old"]),
        ("the the cat", "the cat", ["=the ", "-the ", "=cat"]),
        ("a big cat", "a cat", ["=a ", "-big ", "=cat"]),
        ("hello wrold text", "hello world text", ["=hello w", "+o", "=r", "-o", "=ld text"]),
        ("the dog sat", "the horse sat", ["=the ", "-dog", "+horse", "= sat"]),
        ("one two", "три чотири", ["-one two", "+три чотири"]),
        ("in 2025 and", "in 2026 and", ["=in 202", "-5", "+6", "= and"]),
        ("word", "Word", ["-w", "+W", "=ord"]),
        ("a ,b", "a, b", ["=a", "+,", "= ", "-,", "=b"]),
        ("a\u00a0b", "a b", ["=a", "-\u00a0", "+ ", "=b"]),
        ("co\u00adop", "coop", ["=c", "-o\u00ad", "+o", "=op"]),
        ("私は日本語を話ます", "私は日本語を話します", ["=私は日本語を話", "+し", "=ます"]),
        ("他的的书", "他的书", ["=他的", "-的", "=书"]),
        ("สวัสดีครบ", "สวัสดีครับ", ["=สวัสดีค", "-ร", "+รั", "=บ"]),
        ("قال الرئس اليوم", "قال الرئيس اليوم", ["=قال الرئ", "+ي", "=س اليوم"]),
        ("cafe\u0301 x", "cafe x", ["=caf", "-e\u0301", "+e", "= x"]),
        ("hi 👩‍👩‍👧", "hi 👩‍👩‍👦", ["=hi ", "-👩‍👩‍👧", "+👩‍👩‍👦"]),
        ("don't go", "do not go", ["-don't", "+do not", "= go"]),
    ],
)
def test_word_diff(before: str, after: str, pieces: list[str]) -> None:
    assert signed(before, after) == pieces


texts = (
    st.text(st.sampled_from("ab ,.'-1\u0301\u00ad日ちกั👍🏽\u200dי\u202e\n"), max_size=40)
    | st.text()
)


@given(texts, texts)
def test_pieces_joined_are_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(text for kind, text in pieces if kind != "insert") == before
    assert "".join(text for kind, text in pieces if kind != "delete") == after


@given(texts, texts)
def test_no_piece_is_empty_and_no_two_neighbours_are_of_one_kind(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


@given(texts)
def test_a_text_and_itself_are_one_piece(text: str) -> None:
    assert word_diff(text, text) == ([Piece("same", text)] if text else [])


@given(texts, texts)
def test_whole_word_diff_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    pieces = whole_word_diff(before, after)
    assert "".join(text for kind, text in pieces if kind != "insert") == before
    assert "".join(text for kind, text in pieces if kind != "delete") == after


def test_whole_word_diff_cuts_no_word() -> None:
    assert whole_word_diff("the wrold is round", "the world was round") == [
        ("same", "the "),
        ("delete", "wrold is"),
        ("insert", "world was"),
        ("same", " round"),
    ]
