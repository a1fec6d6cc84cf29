from itertools import count

import pytest

from service.web import windows
from service.web.windows import Windows


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is for the store; the first entry counts."""
    moment = [1_000.0]
    monkeypatch.setattr("time.time", lambda: moment[0])
    return moment


def test_window_moves_with_time(clock: list[float]) -> None:
    store = Windows()
    got = []
    for at in (0, 20, 40, 59, 61, 62, 81):
        clock[0] = 1_000.0 + at
        got.append(store.acquire_entry("a", 3, 60))
    assert got == [True, True, True, False, True, False, True]
    assert store.get_moving_window("a", 3, 60) == (1_040.0, 3)


def test_refused_ones_do_not_count(clock: list[float]) -> None:
    store = Windows()
    assert [store.acquire_entry("a", 1, 60) for _ in range(3)] == [True, False, False]
    clock[0] += 61
    assert store.acquire_entry("a", 1, 60)
    assert not store.acquire_entry("a", 1, 60, amount=2)


def test_those_long_gone_are_forgotten_and_the_others_kept(clock: list[float]) -> None:
    store, names = Windows(), count()
    for _ in range(windows.FEW - 1):
        store.acquire_entry(f"old {next(names)}", 5, 60)
    clock[0] += 30
    store.acquire_entry("young", 1, 60)
    clock[0] += 31
    store.acquire_entry("new", 5, 60)
    assert sorted(store.events) == ["new", "young"]
    assert not store.acquire_entry("young", 1, 60)
