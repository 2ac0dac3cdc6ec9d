"""The paths that a search may choose from, and how many of them are within a limit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import Self

from service.contract.path_costs import PathCosts
from service.contract.search_spaces import XCEPTION

EVERY_CHOICE = "".join(str(choice) for choice in range(XCEPTION + 1))


@dataclass(frozen=True)
class PathSpace:
    """The paths that have at each place one of its `choices`, of which each place has some."""

    costs: PathCosts
    choices: tuple[str, ...]

    @classmethod
    def of(cls, costs: PathCosts, choices: Sequence[str] | None) -> Self:
        """Without `choices` every path."""
        return cls(costs, tuple(choices or (EVERY_CHOICE,) * len(costs.of_places)))

    @property
    def has_every_choice(self) -> bool:
        """Whether it has every path of the supernet."""
        return all(len(digits) == len(EVERY_CHOICE) for digits in self.choices)

    @property
    def least(self) -> int:
        """The multiply-adds of the smallest path."""
        return self.costs.least(self.choices)

    @property
    def most(self) -> int:
        """The multiply-adds of the largest path."""
        return self.costs.most(self.choices)

    def count_within(self, limit: int, most: int) -> int:
        """How many paths have at most `limit` multiply-adds, exactly; `most` if there are so many.

        It takes at most as many steps as `most` paths have places, however large the space is.
        """
        count = 0
        for paths in self._groups(0, limit - self.costs.fixed):
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
        for cost in self._allowed[place]:
            yield from self._groups(place + 1, left - cost)

    @cached_property
    def _allowed(self) -> tuple[tuple[int, ...], ...]:
        """At each place the multiply-adds of its choices."""
        return tuple(
            tuple(costs[int(digit)] for digit in digits)
            for costs, digits in zip(self.costs.of_places, self.choices, strict=True)
        )

    @cached_property
    def _least_from(self) -> tuple[int, ...]:
        return _from_each([min(costs) for costs in self._allowed])

    @cached_property
    def _most_from(self) -> tuple[int, ...]:
        return _from_each([max(costs) for costs in self._allowed])

    @cached_property
    def _paths_from(self) -> tuple[int, ...]:
        """How many paths there are from each place on."""
        counts = [len(costs) for costs in reversed(self._allowed)]
        return tuple(accumulate(counts, mul, initial=1))[::-1]


def _from_each(costs: Sequence[int]) -> tuple[int, ...]:
    """The sum of the costs from each place on, with 0 after the last."""
    return tuple(accumulate(reversed(costs), initial=0))[::-1]
