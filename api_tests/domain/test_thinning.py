"""Which points of a long series are drawn."""

import random

import pytest

from service.domain.thinning import chosen_points


@pytest.mark.parametrize("count", [0, 1, 2, 3, 11, 100, 997])
@pytest.mark.parametrize("max_points", [2, 3, 4, 10, 101])
def test_of_each_part_the_first_lowest_and_the_last_highest_are_chosen(
    count: int, max_points: int
) -> None:
    draw = random.Random(count * max_points)
    values = [float(draw.randrange(9)) for _ in range(count)]
    expected = set(range(count))
    if count > max_points:
        expected = {0, count - 1}
        buckets = (max_points - 2) // 2
        for bucket in range(buckets):
            part = [n for n in range(count) if n * buckets // count == bucket]
            expected.add(min(part, key=lambda n: (values[n], n)))
            expected.add(max(part, key=lambda n: (values[n], n)))
    assert chosen_points(values, max_points) == sorted(expected)
    assert len(expected) <= max_points
