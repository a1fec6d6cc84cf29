from itertools import count

import pytest

from service.web.windows import Windows


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is for the store; the first entry counts."""
    moment = [1_000.0]
    for name in ("time.monotonic", "time.time"):
        monkeypatch.setattr(name, lambda: moment[0])
    return moment


def test_window_moves_with_time(clock: list[float]) -> None:
    store = Windows()
    got = []
    for at in (0, 20, 40, 59, 61, 62, 81):
        clock[0] = 1_000.0 + at
        got.append(store.acquire_entry("a", 3, 60))
    assert got == [True, True, True, False, True, False, True]
    assert store.get_moving_window("a", 3, 60) == (1_040.0, 3)


def test_window_moves_over_any_number_of_its_lengths(clock: list[float]) -> None:
    """Asked every 7 seconds for 3 a minute: three pass, and each again a minute later."""
    store = Windows()
    passed = []
    for at in range(0, 600, 7):
        clock[0] = 1_000.0 + at
        if store.acquire_entry("a", 3, 60):
            passed.append(at)
    assert len(passed) > 20
    assert all(later - first > 60 for first, later in zip(passed, passed[3:], strict=False))
    assert all(later - first <= 60 + 7 for first, later in zip(passed, passed[3:], strict=False))


def test_refused_ones_do_not_count(clock: list[float]) -> None:
    store = Windows()
    assert [store.acquire_entry("a", 1, 60) for _ in range(3)] == [True, False, False]
    clock[0] += 61
    assert store.acquire_entry("a", 1, 60)
    assert not store.acquire_entry("a", 1, 60, amount=2)


def test_windows_of_several_lengths_are_counted_apart(clock: list[float]) -> None:
    store = Windows()
    for _ in range(4):
        assert store.acquire_entry("a", 1, 60)
        assert store.acquire_entry("hourly a", 4, 3600)
        clock[0] += 61
    assert not store.acquire_entry("hourly a", 4, 3600)
    assert store.get_moving_window("hourly a", 4, 3600) == (1_000.0, 4)


def test_those_long_gone_are_forgotten_and_the_others_kept(clock: list[float]) -> None:
    store, names = Windows(), count()
    for _ in range(1_000):
        store.acquire_entry(f"old {next(names)}", 5, 60)
    clock[0] += 59
    store.acquire_entry("young", 1, 60)
    for _ in range(2):
        clock[0] += 30
        store.acquire_entry("new", 5, 60)
    assert not store.acquire_entry("young", 1, 60)
    clock[0] += 31
    store.acquire_entry("new", 5, 60)
    assert store.reset() == 1
