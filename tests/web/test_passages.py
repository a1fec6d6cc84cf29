import pytest

from service.web import passages
from service.web.passages import changed, context, direction, marked


def selector(exact: str, prefix: str = "", suffix: str = "") -> list[dict[str, str]]:
    return [{"type": "TextQuoteSelector", "exact": exact, "prefix": prefix, "suffix": suffix}]


def mark(label: str, title: str) -> str:
    return f'<bdi class="mark" dir="ltr" title="{title}">{label}</bdi>'


SPACE = mark("␣", "U+0020 SPACE")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("wrold", "world", "<del>wr<b>o</b>ld</del><ins>w<b>o</b>rld</ins>"),
        ("in 2021", "in 2023", "in <del>202<b>1</b></del><ins>202<b>3</b></ins>"),
        ("that that", "that", "that<del> that</del>"),
        ("up", "", "<del>up</del>"),
        ("三百冊", "三千冊", "三<del>百</del><ins>千</ins>冊"),
        ("a  b", "a b", f"a <del>{SPACE}</del>b"),
        ("<i>", "<b>", "&lt;<del>i</del><ins>b</ins>&gt;"),
        ("same", None, "<mark>same</mark>"),
    ],
)
def test_change_is_told_word_by_word(before: str, after: str | None, shown: str) -> None:
    assert changed(before, after) == shown


@pytest.mark.parametrize(
    "character", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u3164", "\x07"]
)
def test_character_that_nobody_sees_is_a_mark(character: str) -> None:
    shown = marked(f"a{character}b")
    assert character not in shown
    assert f'title="U+{ord(character):04X} ' in shown
    found = passages.passage(selector(f"a{character}b"), None)
    assert found is not None
    assert found.has_hidden


@pytest.mark.parametrize(
    "text", ["می‌خواهم", "👩‍👩‍👧", "naïve", "e\u0301", "a\u00a0b", "line\nline"]
)
def test_text_as_people_write_it_has_no_marks(text: str) -> None:
    assert marked(text) == text
    found = passages.passage(selector(text), None)
    assert found is not None
    assert not found.has_hidden


def test_joiner_is_a_mark_where_it_joins_nothing_or_is_the_change() -> None:
    assert "ZWJ" in marked("a \u200d b")
    assert "ZWNJ" in changed("میخواهم", "می\u200cخواهم")


def test_space_that_is_no_common_one_is_a_mark_in_a_change() -> None:
    assert "NBSP" in changed("10 km", "10\u00a0km")


def test_context_is_one_line_with_pilcrows() -> None:
    assert context("End.\n\nNext <one>\n") == (
        'End. <span class="break" aria-hidden="true">¶</span> Next &lt;one&gt; '
        '<span class="break" aria-hidden="true">¶</span> '
    )


def test_context_that_was_cut_off_ends_with_a_whole_word() -> None:
    long = "xpected before the summer begins. Whoever waits for it is gl"
    found = passages.passage(selector("a", long, long), None)
    assert found is not None
    assert found.prefix == "…before the summer begins. Whoever waits for it is gl"
    assert found.suffix == "xpected before the summer begins. Whoever waits for it is…"
    unspaced = passages.passage(selector("a", "三" * 60, "三" * 60), None)
    assert unspaced is not None
    assert (unspaced.prefix, unspaced.suffix) == ("…" + "三" * 60, "三" * 60 + "…")


def test_current_text_is_shown_where_the_passage_was() -> None:
    found = passages.current("one two three", {"start": 4, "end": 7})
    assert found is not None
    assert (found.prefix, found.change, found.suffix) == ("one ", "<mark>two</mark>", " three")
    assert passages.current("one", {"start": None, "end": None}) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("hello", "ltr"), ("مرحبا", "rtl"), ("В 2024 році", "ltr"), ("", "ltr"), ("12:30", "ltr"),
     ("قال إن NATO هنا", "rtl")],
)  # fmt: skip
def test_direction_is_that_of_most_letters(text: str, wanted: str) -> None:
    assert direction(text) == wanted


def test_link_leads_to_the_passage_and_only_to_safe_addresses() -> None:
    item = {
        "article": {"url": "https://news.example/a"},
        "selector": selector("a-b, c&d\n\ne"),
        "anchor": {"state": "exact", "start": None, "end": None},
    }
    lost = {**item, "anchor": {"state": "orphaned", "start": None, "end": None}}
    assert passages.link(item) == "https://news.example/a#:~:text=a%2Db%2C%20c%26d,e"
    assert passages.link(lost) == "https://news.example/a"
    assert passages.link({**item, "selector": []}) == "https://news.example/a"
    assert passages.link({**item, "article": {"url": "javascript:alert(1)"}}) is None
