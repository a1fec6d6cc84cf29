import pytest

from service.web import plots


@pytest.mark.parametrize(
    ("value", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (40, 40), (41, 100), (999, 1000)]
)
def test_upper_edge_is_a_round_number_with_a_whole_half(value: int, top: int) -> None:
    assert plots.ceiling(value) == top


def test_marks_stand_side_by_side_and_reach_as_high_as_their_values() -> None:
    made = plots.plot([("a", 0), ("b", 4), ("c", 1), ("d", 4)])
    assert [(mark.x, mark.y, mark.width, mark.height) for mark in made.marks] == [
        (25.0, 100.0, 200.0, 0.0),
        (275.0, 0.0, 200.0, 100.0),
        (525.0, 75.0, 200.0, 25.0),
        (775.0, 0.0, 200.0, 100.0),
    ]
    assert made.line == "125.0,100.0 375.0,0.0 625.0,75.0 875.0,0.0"
    assert made.most.label == "b"
