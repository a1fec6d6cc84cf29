import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.text import ORPHANED, Anchor, Selector, locate

TEXT = (
    "The council met on Tuesday to talk about the budget.\n\n"
    "Its chair said that the libary would stay open until the end of the year, as it does now.\n\n"
    "Nobody of the opposition was present when the vote was taken."
)
CONTEXT = 32


def selected(text: str, start: int, end: int, context: int = CONTEXT) -> Selector:
    prefix, suffix = text[max(0, start - context) : start], text[end : end + context]
    return Selector(text[start:end], prefix, suffix, start, end)


def word(exact: str, text: str = TEXT) -> Selector:
    start = text.index(exact)
    return selected(text, start, start + len(exact))


def found(anchor: Anchor, text: str) -> tuple[str, str | None]:
    return anchor.state, None if anchor.start is None else text[anchor.start : anchor.end]


def test_locate_unchanged() -> None:
    start = TEXT.index("libary")
    assert locate(word("libary"), TEXT) == Anchor("exact", start, start + 6)


def test_locate_after_an_insertion_before() -> None:
    text = "News. " + TEXT
    assert locate(word("libary"), text) == Anchor(
        "moved", text.index("libary"), text.index("libary") + 6
    )


@pytest.mark.parametrize(
    ("old", "new", "became"),
    [
        ("libary", "library", "library"),
        ("the libary would stay open", "the town's library will stay open", "town's library"),
        ("libary would", "libary  would", "libary"),
        ("that the libary", "that our libary", "libary"),
        ("said that the libary would stay", "told us the libary will stay", "libary"),
        ("Its chair said that the", "Said the chair: the", "libary"),
    ],
)
def test_locate_in_an_edited_sentence(old: str, new: str, became: str) -> None:
    text = TEXT.replace(old, new)
    state, words = found(locate(word("libary"), text, ("library",)), text)
    assert state != "orphaned"
    assert words is not None
    assert words in became


def test_locate_words_that_were_taken_out() -> None:
    text = TEXT.replace("libary ", "")
    assert found(locate(word("libary "), text), text) == ("changed", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "libary",
        "Quite another article, in which the libary is mentioned once.",
        TEXT.replace(TEXT.split("\n\n")[1] + "\n\n", ""),
    ],
)
def test_locate_rather_nowhere_than_wrongly(text: str) -> None:
    assert locate(word("libary"), text) == ORPHANED


def test_locate_prefers_the_nearer_of_equal_passages() -> None:
    sentence = "It was said again and again that the libary would stay open for another year. "
    text = sentence * 9
    starts = [text.index("libary", len(sentence) * number) for number in range(9)]
    for start in starts:
        assert locate(selected(text, start, start + 6, 16), text).start == start
    moved = "xx" + text
    assert locate(selected(text, starts[4], starts[4] + 6, 16), moved).start == starts[4] + 2
    assert locate(selected(text, starts[4], starts[4] + 6, 16), text[3:]).start == starts[4] - 3


def test_locate_near_the_end_of_a_repetitive_text_that_was_cut() -> None:
    text = "the council Tuesday, Tuesday, Tuesday, Tuesday,"
    selector = Selector(", Tuesday, ", " Tuesday", "Tuesday,", 19, 30)
    assert locate(selector, text[11:]) == Anchor("moved", 17, 28)


def test_locate_tells_the_correction_from_the_error_at_the_end_of_the_text() -> None:
    selector = selected("See the documents here:", 18, 23)
    text = "See the documents here: there."
    assert found(locate(selector, text, ("here: there.",)), text) == ("changed", "here: there.")
    assert found(locate(selector, "See the documents here:", ("here: there.",)), text)[0] == "exact"


def test_locate_without_context_needs_the_position_or_one_of_its_kind() -> None:
    text = "a cat and a dog and a long description of everything else"
    assert locate(Selector("a", "", "", 10), text) == Anchor("exact", 10, 11)
    assert locate(Selector("a"), text) == ORPHANED
    assert found(locate(Selector("a long description of everything"), text), text) == (
        "moved",
        "a long description of everything",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("困惑度是对交叉熵损失函数做指数运算后得到的植，越低越好。", "困惑度是对交叉熵损失函数做指数运算之后得到的值，越低越好。"),
        ("المكتبة العامه ستبقى مفتوحة حتى نهاية السنة", "إن المكتبة العامة ستبقى مفتوحة حتى نهاية السنة"),
        ("Бібліотека буде відкріта до кінця року, як і зараз", "Бібліотека буде відкрита до кінця цього року, як і зараз"),
        ("ห้องสมุดจะเปิดจนถึงสิ้นปีนี้เหมือนเดิม", "ห้องสมุดจะเปิดถึงสิ้นปีนี้เหมือนเดิม"),
    ],
)  # fmt: skip
def test_locate_in_every_script(before: str, after: str) -> None:
    middle = len(before) // 2
    anchor = locate(selected(before, middle - 2, middle + 2), after)
    assert anchor.start is not None
    assert anchor.end is not None
    assert abs(anchor.start - middle) < 8


prose = st.lists(
    st.sampled_from(
        ["the", "council", "met", "on", "Tuesday,", "and", "日本", "م", "\n\n", "é", "."]
    ),
    min_size=1,
    max_size=60,
).map(" ".join) | st.text(min_size=1, max_size=200)


@st.composite
def passages(draw: st.DrawFn) -> tuple[str, Selector]:
    text = draw(prose)
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, min(len(text), start + 30)))
    return text, selected(text, start, end, draw(st.sampled_from([8, 32, 64])))


@given(passages(), st.lists(st.text(max_size=9), max_size=3))
def test_an_unedited_text_anchors_at_its_own_place(
    passage: tuple[str, Selector], suggestions: list[str]
) -> None:
    text, selector = passage
    # A suggestion that the text says already, there and in its context, is no error any more.
    assume(not any(words.startswith(selector.exact) for words in suggestions))
    assert locate(selector, text, suggestions) == Anchor("exact", selector.start, selector.end)


@given(passages(), st.data())
def test_an_edit_elsewhere_never_moves_a_passage_to_other_words(
    passage: tuple[str, Selector], data: st.DataObject
) -> None:
    text, selector = passage
    assert selector.start is not None
    assert selector.end is not None
    low, high = selector.start - len(selector.prefix), selector.end + len(selector.suffix)
    assume(len(selector.prefix) + len(selector.suffix) >= 8)
    is_before = data.draw(st.booleans())
    at = data.draw(st.integers(0, low) if is_before else st.integers(high, len(text)))
    cut = data.draw(st.integers(0, low - at if is_before else len(text) - at))
    text = text[:at] + data.draw(st.text(max_size=50)) + text[at + cut :]
    anchor = locate(selector, text)
    assert anchor.state in ("exact", "moved")
    assert anchor.start is not None
    assert text[anchor.start : anchor.end] == selector.exact


@given(passages(), st.text(max_size=200) | prose, st.lists(st.text(max_size=9), max_size=3))
def test_a_span_lies_in_the_text(
    passage: tuple[str, Selector], text: str, suggestions: list[str]
) -> None:
    _, selector = passage
    anchor = locate(selector, text, suggestions)
    if anchor.start is None or anchor.end is None:
        assert anchor == ORPHANED
    else:
        assert 0 <= anchor.start <= anchor.end <= len(text)
        assert (text[anchor.start : anchor.end] == selector.exact) is (anchor.state != "changed")
