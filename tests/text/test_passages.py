import pytest

from service.text import Selector, same_passage


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
    ],
)
def test_same_passage(one: Selector, other: Selector, are_same: bool) -> None:
    assert same_passage(one, other) is are_same
    assert same_passage(other, one) is are_same
