"""The paths that a search may take: some choices at each place, under a limit of multiply-adds."""

from collections.abc import Iterator, Sequence

import numpy as np

from service.contract.path_costs import PathCosts

Generator = np.random.RandomState
"""Its draws stay the same in every version of numpy, as those of the published program."""


class AllowedPaths:
    """Draws paths that have an allowed digit at each place, and tells which are within the limit.

    `choices` are the allowed digits of each place, `limit` is inclusive.
    """

    def __init__(self, costs: PathCosts, choices: Sequence[str], limit: int) -> None:
        self._costs, self._choices, self._limit = costs, tuple(choices), limit
        self._counts = np.array([len(allowed) for allowed in choices])
        first = "".join(allowed[0] for allowed in choices)
        self._first = costs.of_path(first)
        self._more = [
            {
                digit: costs.of_path(first[:place] + digit + first[place + 1 :]) - self._first
                for digit in allowed
            }
            for place, allowed in enumerate(choices)
        ]
        """What each digit costs more than the first one of its place."""
        self._least_after = [0]
        for more in reversed(self._more):
            self._least_after.insert(0, self._least_after[0] + min(more.values()))
        self.least = self._first + self._least_after[0]
        """The multiply-adds of the cheapest path."""

    @property
    def is_empty(self) -> bool:
        """Whether no path is within the limit."""
        return self.least > self._limit

    @property
    def places(self) -> int:
        """How many digits a path has."""
        return len(self._choices)

    def digit(self, generator: Generator, place: int) -> str:
        """Any allowed digit of a place."""
        allowed = self._choices[place]
        return allowed[generator.randint(len(allowed))]

    def any_path(self, generator: Generator) -> str:
        """Evenly drawn of all paths, whatever it costs."""
        # The same draws as by one call for each place.
        numbers = generator.randint(self._counts).tolist()
        return "".join([digits[n] for digits, n in zip(self._choices, numbers, strict=True)])

    def is_within(self, path: str) -> bool:
        """Whether a path is within the limit."""
        return self._costs.of_path(path) <= self._limit

    def path_within(self, generator: Generator) -> str:
        """A path within the limit, not evenly drawn: each may come; there must be one."""
        path, left = "", self._limit - self._first
        while len(path) < self.places:
            fitting = self._fitting(len(path), left)
            digit = fitting[generator.randint(len(fitting))]
            left -= self._more[len(path)][digit]
            path += digit
        return path

    def every_path_within(self, generator: Generator) -> Iterator[str]:
        """Each path within the limit once, in an order that is drawn as it goes on."""
        return self._beginning_with("", self._limit - self._first, generator)

    def _beginning_with(self, path: str, left: int, generator: Generator) -> Iterator[str]:
        if len(path) == self.places:
            yield path
            return
        fitting = self._fitting(len(path), left)
        for index in generator.permutation(len(fitting)):
            rest = left - self._more[len(path)][fitting[index]]
            yield from self._beginning_with(path + fitting[index], rest, generator)

    def _fitting(self, place: int, left: int) -> list[str]:
        """The digits of a place after which the cheapest rest of the path still is within."""
        rest = self._least_after[place + 1]
        return [digit for digit, more in self._more[place].items() if more + rest <= left]
