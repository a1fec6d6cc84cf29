import pytest

from service.text import ORPHANED, Selector, locate
from service.text.evidence import weight

CONTEXT = 32
AROUND = "The council met on Tuesday.\n\n{}\n\nNobody of the opposition was there."
SENTENCE = "Its chair said that the libary would stay open for another year."


@pytest.mark.parametrize(
    ("text", "said"),
    [("", 0), ("abc", 3), ("їжа", 3), ("日本", 6), ("한글", 6), ("a日", 4), ("😀", 3)],
)
def test_weight(text: str, said: int) -> None:
    assert weight(text) == said


def selector_in(text: str, exact: str) -> Selector:
    start = text.index(exact)
    end = start + len(exact)
    return Selector(exact, text[max(0, start - CONTEXT) : start], text[end:][:CONTEXT], start, end)


def words_found(selector: Selector, text: str) -> str | None:
    anchor = locate(selector, text, ("library",))
    return None if anchor.start is None else text[anchor.start : anchor.end]


def test_words_beside_one_side_of_their_context_are_evidence() -> None:
    text = "It was plain, however, that the mayor had sent the voters a leter that 2.) nobody could read."
    selector = selector_in(text, "leter that")
    edited = text.replace(" 2.) nobody could read", " came in envelopes of the bank")
    edited = edited.replace("the mayor had", "she had")
    assert words_found(selector, "Something is new here. " * 100 + edited) == "leter that"
    assert locate(selector, edited.replace("leter", "card").replace("voters", "town")) == ORPHANED


def test_a_paragraph_that_is_not_between_its_neighbours_is_another() -> None:
    selector = selector_in(AROUND.format("The libary."), "libary")
    twin = "The libary, the school."
    assert words_found(selector, AROUND.format(twin)) == "libary"
    assert words_found(selector, AROUND.format("") + f"\n\n{twin}") is None


def test_a_neighbour_alone_does_not_make_another_paragraph_the_same() -> None:
    text = AROUND.format("The Minster of Health has a plan, which says how long it may take.")
    selector = selector_in(text, "Minster")
    other = AROUND.format("Something else was said, in the hall.")
    assert locate(selector, other) == ORPHANED


def test_words_that_came_in_are_evidence_against() -> None:
    text = AROUND.format(SENTENCE)
    selector = selector_in(text, "libary")
    assert words_found(selector, text.replace("said that the", "said the")) == "libary"
    other = "Its cook said that every guest would stay, open questions or not, another year."
    assert words_found(selector, text.replace(SENTENCE, other)) is None
