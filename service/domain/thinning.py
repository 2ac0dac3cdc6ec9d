"""Which points of a series are drawn when there are more than a chart can show."""

from collections.abc import Sequence


def chosen_points(values: Sequence[float], max_points: int) -> list[int]:
    """The positions of at most `max_points` values, in order.

    Of more values these are the first, the last, and between them the lowest and the highest of
    each of equally many values. Of equal ones the earliest is the lowest, the latest the highest.
    """
    count = len(values)
    if count <= max_points:
        return list(range(count))
    chosen = {0, count - 1}
    # The first and the last are chosen anyway, and each bucket gives two.
    bucket_count = (max_points - 2) // 2
    start = 0
    for number in range(1, bucket_count + 1):
        # Rounded up: a position is in the bucket `position * bucket_count // count`.
        end = -(-number * count // bucket_count)
        bucket = values[start:end]
        chosen.add(start + bucket.index(min(bucket)))
        chosen.add(end - 1 - bucket[::-1].index(max(bucket)))
        start = end
    return sorted(chosen)
