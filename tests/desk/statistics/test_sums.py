import random

from service.desk.statistics.sums import Sums, packed, percentile, unpacked


def nearest_rank(values: list[int], share: float) -> int:
    """The definition, word for word."""
    return next(v for v in sorted(values) if sum(w <= v for w in values) >= share * len(values))


def test_percentile_is_the_nearest_rank_of_all_parts_together() -> None:
    rng = random.Random(5)
    for _ in range(60):
        parts = [
            sorted(rng.choices(range(rng.choice([3, 40, 10**6])), k=rng.randrange(8)))
            for _ in range(rng.randrange(1, 6))
        ]
        values = [value for part in parts for value in part]
        for share in (0.5, 0.9):
            expected = nearest_rank(values, share) if values else None
            assert percentile(parts, share) == expected


def test_packed_minutes_come_back_sorted() -> None:
    assert list(unpacked(packed([7, 0, 2**32 - 1, 7]))) == [0, 7, 7, 2**32 - 1]
    assert packed([1]) == b"\x01\x00\x00\x00"


def test_accepted_share_leaves_spam_out_and_knows_nothing_of_nothing() -> None:
    assert Sums(decided=9, accepted=3, rejected=1).accepted_share == 0.75
    assert Sums(decided=2).accepted_share is None
