"""The multiply-adds of every path through a supernet: a fixed part and one of each place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Self

from service.contract.architecture_costs import cost_of, unit_cost
from service.contract.architectures import PUBLISHED_WIDTH, Architecture
from service.contract.search_spaces import XCEPTION, SearchSpace

EVERY_CHOICE = "".join(str(choice) for choice in range(XCEPTION + 1))
"""The digits that a place may have."""


@dataclass(frozen=True)
class PathCosts:
    """The multiply-adds of the paths of a space whose widths are all the published ones.

    `choices` are for each place the digits that a path may have there, at least one, and `places`
    the multiply-adds of each of those. `fixed` are those of what every path has.
    """

    fixed: int
    choices: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        image_size: int,
        classes: int,
        choices: Sequence[str] | None = None,
    ) -> Self:
        """For one image of `image_size`, a multiple of 32; without `choices` every digit may be."""
        side, width, every = image_size // 2, int(PUBLISHED_WIDTH), []
        for place in space.places:
            costs = (unit_cost(place, int(digit), width, side) for digit in EVERY_CHOICE)
            every.append(tuple(cost.multiply_adds for cost in costs))
            side //= place.stride
        first = Architecture.of(EVERY_CHOICE[0] * len(every))
        whole = cost_of(space, first, image_size, classes).multiply_adds
        allowed = tuple(choices or (EVERY_CHOICE,) * len(every))
        places = tuple(
            tuple(costs[int(digit)] for digit in digits)
            for digits, costs in zip(allowed, every, strict=True)
        )
        return cls(whole - sum(costs[0] for costs in every), allowed, places)

    @property
    def least(self) -> int:
        """The multiply-adds of the smallest path."""
        return self.fixed + self._least_from[0]

    @property
    def most(self) -> int:
        """The multiply-adds of the largest path."""
        return self.fixed + self._most_from[0]

    def of_path(self, blocks: str) -> int:
        """The multiply-adds of a path, which `choices` allow at each place."""
        return self.fixed + sum(
            costs[digits.index(digit)]
            for costs, digits, digit in zip(self.places, self.choices, blocks, strict=True)
        )

    def count_within(self, limit: int, most: int) -> int:
        """How many paths have at most `limit` multiply-adds, exactly; `most` if there are so many.

        It takes as many steps as `most` has, times the places, however large the space is.
        """
        count = 0
        for paths in self._groups(0, limit - self.fixed):
            count += paths
            if count >= most:
                return most
        return count

    def _groups(self, place: int, left: int) -> Iterator[int]:
        """How many paths each way to go on has, of which every one is within what is `left`."""
        if self._least_from[place] > left:
            return
        if self._most_from[place] <= left:
            yield self._paths_from[place]
            return
        for cost in self.places[place]:
            yield from self._groups(place + 1, left - cost)

    @cached_property
    def _least_from(self) -> tuple[int, ...]:
        return _from_each([min(costs) for costs in self.places])

    @cached_property
    def _most_from(self) -> tuple[int, ...]:
        return _from_each([max(costs) for costs in self.places])

    @cached_property
    def _paths_from(self) -> tuple[int, ...]:
        """How many paths there are from each place on."""
        counts = accumulate((len(costs) for costs in reversed(self.places)), int.__mul__, initial=1)
        return tuple(counts)[::-1]


def _from_each(costs: Sequence[int]) -> tuple[int, ...]:
    """The sum of the costs from each place on, with 0 after the last."""
    return tuple(accumulate(reversed(costs), initial=0))[::-1]
