"""The points of a series as two arrays, which are read much faster than rows."""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from service.domain.thinning import chosen_points

Number = TypeVar("Number", int, float)
STEP_BYTES = 8
"""Of a step, and of a value too."""


@dataclass(frozen=True)
class PointArrays:
    """Steps, which rise, and the value of each."""

    steps: "array[int]"
    values: "array[float]"

    @classmethod
    def of_bytes(cls, steps: bytes, values: bytes) -> "PointArrays":
        """What `step_bytes` and `value_bytes` were made of."""
        return cls(_little_endian(array("q", steps)), _little_endian(array("d", values)))

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def step_bytes(self) -> bytes:
        """The steps as signed 64-bit numbers, the lowest byte first."""
        return _little_endian(self.steps).tobytes()

    @property
    def value_bytes(self) -> bytes:
        """The values as 64-bit floating-point numbers, the lowest byte first."""
        return _little_endian(self.values).tobytes()

    def with_points(self, steps: Sequence[int], values: Sequence[float]) -> "PointArrays":
        """With newer points, in the order of their steps; a step that is there has their value."""
        if not steps:
            return self
        start = bisect_left(self.steps, steps[0])
        if start == len(self.steps):
            return PointArrays(self.steps + array("q", steps), self.values + array("d", values))
        # A resumed run trains steps again: what comes before them stays as it is.
        later = dict(zip(self.steps[start:], self.values[start:], strict=True))
        later |= zip(steps, values, strict=True)
        before = PointArrays(self.steps[:start], self.values[:start])
        return before.with_points(*zip(*sorted(later.items()), strict=True))

    def thinned(self, max_points: int) -> "PointArrays":
        """At most so many points, with the extremes of each part."""
        chosen = chosen_points(self.values.tolist(), max_points)
        return PointArrays(
            array("q", (self.steps[each] for each in chosen)),
            array("d", (self.values[each] for each in chosen)),
        )

    def chart(self, since_step: int, max_points: int) -> list[tuple[int, float]]:
        """The (step, value) pairs from a step on; of too many those that `thinned` keeps."""
        start = bisect_left(self.steps, since_step)
        later = PointArrays(self.steps[start:], self.values[start:]) if start else self
        steps, values = later.steps, later.values.tolist()
        chosen = chosen_points(values, max_points)
        return list(
            zip(map(steps.__getitem__, chosen), map(values.__getitem__, chosen), strict=True)
        )


NO_POINTS = PointArrays(array("q"), array("d"))


def _little_endian(numbers: "array[Number]") -> "array[Number]":
    if sys.byteorder == "little":
        return numbers
    swapped = numbers[:]
    swapped.byteswap()
    return swapped
