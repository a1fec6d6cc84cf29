import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text import Selector, narrowed, same_passage

TEXT = "He said: hello wrold text, and it it was teh end of a very long and tiring story."


def chosen(words: str, text: str = TEXT) -> Selector:
    start = text.index(words)
    end = start + len(words)
    return Selector(words, text[:start][-32:], text[end:][:32], start, end)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        (Selector("wrold", "hello ", " x", 6, 11), Selector("wrold", "hello ", " x", 6, 11), True),
        (Selector("wrold", "hello ", " x", 6, 11), Selector("WROLD", "lo ", " x", 6, 11), True),
        (Selector("wrold", "a ", " b", 6, 11), Selector("wrold", "a ", " b", 106, 111), False),
        (Selector("wrold", "a ", " b", 6, 11), Selector("world", "a ", " b", 6, 11), False),
        (Selector("the", "", "", 0, 3), Selector("the", "", "", 3, 6), False),
        (Selector("the", "", "", 0), Selector("the", "", "", 2), True),
        (Selector("the", "on ", " cat"), Selector("the", "on ", " cat"), True),
        (Selector("the", "on ", " cat"), Selector("the", "on ", " cat sat"), True),
        (Selector("the", "on ", " cat"), Selector("the", "in ", " cat", 5, 8), False),
        (Selector("the", "on ", " cat"), Selector("the", "on ", " dog"), False),
        (Selector("the", "“on” ", " cat"), Selector("the", '"on" ', " CAT"), True),
        (Selector("the"), Selector("the"), True),
        (Selector("the"), Selector("the", "on ", " cat"), False),
    ],
)
def test_same_passage_by_selectors(one: Selector, other: Selector, are_same: bool) -> None:
    assert same_passage(one, other) is are_same
    assert same_passage(other, one) is are_same


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        (("wrold", "world"), ("hello wrold text", "hello world text"), True),
        (("wrold", "world"), ("wrold", "word"), True),
        (("hello wrold", "hello world"), ("wrold text,", "word text,"), True),
        (("wrold", "world"), ("text", "test"), False),
        (("hello wrold text", "hello world text"), ("hello wrold text", "hello word text"), True),
        (("wrold", "world"), ("said", "says"), False),
        (("it it", "it"), ("it was", "was"), True),
        (("teh end", "the end"), (" was teh", " was the"), True),
        (("tiring story", "tiring, story"), ("long and tiring", "long and tiring,"), True),
        ((TEXT, TEXT.replace("wrold", "world")), ("wrold", "world"), True),
        ((TEXT, TEXT.replace("wrold", "world")), ("teh", "the"), False),
        ((TEXT, TEXT.replace("wrold", "world")), (TEXT, TEXT.replace("teh", "the")), False),
        (("wrold", None), ("wrold", "world"), True),
        (("wrold", None), ("hello wrold text", "hello world text"), True),
        (("hello wrold text", None), ("wrold", "world"), False),
        (("wrold", None), ("teh", None), False),
    ],
)
def test_same_passage_by_what_is_changed(
    one: tuple[str, str | None], other: tuple[str, str | None], are_same: bool
) -> None:
    assert same_passage(chosen(one[0]), chosen(other[0]), one[1], other[1]) is are_same
    assert same_passage(chosen(other[0]), chosen(one[0]), other[1], one[1]) is are_same


def test_same_passage_across_revisions() -> None:
    later = "A new beginning. " + TEXT.replace("He said", "She says")
    one, other = chosen("wrold"), chosen("hello wrold", later)
    assert not same_passage(one, other, "world", "hello world")
    assert same_passage(one, other, "world", "hello world", same_text=False)
    elsewhere = Selector("wrold", "The end of the whole ", ", as it is called.", 12, 17)
    assert not same_passage(one, elsewhere, "world", "world", same_text=False)


@pytest.mark.parametrize(
    ("exact", "suggestion", "prefix", "words", "suffix"),
    [
        ("hello wrold text", "hello world text", "hello ", "wrold", " text"),
        ("a b", "a, b", "a", "", " b"),
        ("the the cat", "the cat", "the ", "the ", "cat"),
        ("abc", "abc", "abc", "", ""),
        ("abc", "xyz", "", "abc", ""),
        ("", "x", "", "", ""),
        ("日本语言", "日本語言", "日本", "语", "言"),
    ],
)
def test_narrowed(exact: str, suggestion: str, prefix: str, words: str, suffix: str) -> None:
    assert narrowed(Selector(exact, "< ", " >", 7, 7 + len(exact)), suggestion) == Selector(
        words, "< " + prefix, suffix + " >", 7 + len(prefix), 7 + len(prefix) + len(words)
    )


@given(st.text(), st.text())
def test_narrowed_keeps_the_text(exact: str, suggestion: str) -> None:
    narrow = narrowed(Selector(exact), suggestion)
    assert narrow.prefix + narrow.exact + narrow.suffix == exact
    assert suggestion.startswith(narrow.prefix)
    assert suggestion.endswith(narrow.suffix)
    assert narrow.start is None
