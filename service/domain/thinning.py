"""Which points of a series are drawn when there are more than a chart can show."""

from functools import lru_cache
from itertools import pairwise


def chosen_points(values: list[float], max_points: int) -> list[int]:
    """The positions of at most `max_points` values, in order.

    Of more values these are the first, the last, and between them the lowest and the highest of
    each of equally many values. Of equal ones the earliest is the lowest, the latest the highest.
    """
    count = len(values)
    if count <= max_points:
        return list(range(count))
    chosen: list[int] = []
    # The first and the last are chosen anyway, and each bucket gives two.
    for start, end in pairwise(_bounds(count, (max_points - 2) // 2)):
        bucket = values[start:end]
        # To sort floats costs less than to look for the least and for the greatest.
        ordered = sorted(bucket)
        lowest = start + bucket.index(ordered[0])
        bucket.reverse()
        highest = end - 1 - bucket.index(ordered[-1])
        if lowest < highest:
            chosen += lowest, highest
        elif highest < lowest:
            chosen += highest, lowest
        else:
            chosen.append(lowest)
    if chosen[:1] != [0]:
        chosen.insert(0, 0)
    if chosen[-1] != count - 1:
        chosen.append(count - 1)
    return chosen


@lru_cache(maxsize=64)
def _bounds(count: int, buckets: int) -> tuple[int, ...]:
    # The series of a job are mostly as long as each other. Rounded up: a position is in the bucket
    # `position * buckets // count`.
    return tuple(-(-number * count // max(buckets, 1)) for number in range(buckets + 1))
