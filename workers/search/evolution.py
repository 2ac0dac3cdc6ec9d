"""The evolutionary search of single path one-shot search (arXiv:1904.00420).

Source: the class EvolutionSearcher of Search/search.py, whose draws these are.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from service.contract.candidates import Fitness, Origin
from service.contract.search_params import SearchParams
from workers.search.allowed_paths import AllowedPaths, Generator

END = "all generations"
NO_MORE = "the space has no more"
"""How a search ends of which no path within the limit is left."""

_TRIES_EACH = 10
"""So many draws for each mutation or crossover that is wanted; random paths fill the rest."""
_DRAWN_TOGETHER = 10
"""The original draws so many before it looks at the first: what is left over is dropped."""
_RANDOM_TRIES = 10_000
"""After so many misses in a row random paths are drawn within the limit from the start."""
_TRIES_WITHIN = 1_000
"""After so many misses in a row, too, the paths within the limit are gone through."""


class Proposal(NamedTuple):
    """A path whose fitness a search asks for; see `Candidate`."""

    blocks: str
    order: int
    generation: int
    origin: Origin


Measure = Callable[[Sequence[Proposal]], Mapping[str, Fitness]]
"""The fitness of each path of a population, by its blocks."""


def order_key(fitness: Fitness, by: Literal["error", "loss"]) -> tuple[float, ...]:
    """What candidates are sorted by, the best first; one whose loss is not finite is last."""
    loss = math.inf if fitness.loss is None else fitness.loss
    if by == "loss":
        return (loss,)
    return (math.inf if fitness.loss is None else fitness.top1_error, fitness.top5_error)


def evolve(params: SearchParams, paths: AllowedPaths, measure: Measure) -> str:
    """Ask for the fitness of each population in turn; why the search has ended.

    What is asked for depends on the parameters, the paths, and the fitness alone. It is `END`
    after all generations, and `NO_MORE` if a population could not be filled.
    """
    drawn = _Drawn(params, paths)
    parents: list[tuple[tuple[float, ...], str]] = []
    asked = 0
    for generation in range(1, params.generations + 1):
        found = drawn.population([path for _, path in parents])
        population = [
            Proposal(path, asked + number, generation, origin)
            for number, (origin, path) in enumerate(found)
        ]
        asked += len(population)
        if population:
            fitness = measure(population)
            keys = [(order_key(fitness[p.blocks], params.fitness), p.blocks) for p in population]
            # Stable: of equal ones the older is the better.
            parents = sorted([*parents, *keys], key=lambda each: each[0])[: params.parents]
        if len(population) < params.population:
            return NO_MORE
    return END


class _Drawn:
    """The populations of a search, none of which has a path that has been in one."""

    def __init__(self, params: SearchParams, paths: AllowedPaths) -> None:
        self._params, self._paths = params, paths
        self._generator = Generator(params.seed)
        self._asked: set[str] = set()
        self._tries, self._tries_within = _RANDOM_TRIES, _TRIES_WITHIN
        self._rest: Iterator[str] = paths.every_path_within(self._generator)

    def population(self, parents: Sequence[str]) -> list[tuple[Origin, str]]:
        """The next one; without parents all of it is random."""
        params, found = self._params, list[tuple[Origin, str]]()
        if parents:
            mutations = self._in_tens(lambda: self._mutation(parents))
            found += self._taken("mutation", mutations, params.mutations)
            crossovers = self._in_tens(lambda: self._crossover(parents))
            found += self._taken("crossover", crossovers, params.crossovers)
        return found + self._random(params.population - len(found))

    def _taken(self, origin: Origin, drawn: Iterator[str], count: int) -> list[tuple[Origin, str]]:
        tries = islice(drawn, count * _TRIES_EACH)
        return [(origin, path) for path in islice(filter(self._takes, tries), count)]

    def _takes(self, path: str) -> bool:
        """Whether a path is new and within the limit; it is not new any more."""
        if path in self._asked or not self._paths.is_within(path):
            return False
        self._asked.add(path)
        return True

    def _random(self, count: int) -> list[tuple[Origin, str]]:
        drawn = self._in_tens(lambda: self._paths.any_path(self._generator))
        found: list[tuple[Origin, str]] = []
        while len(found) < count:
            path = self._random_path(drawn)
            if path is None:
                break
            found.append(("random", path))
        return found

    def _random_path(self, drawn: Iterator[str]) -> str | None:
        """A new path within the limit; None if there is none."""
        path = next(filter(self._takes, islice(drawn, self._tries)), None)
        if path is not None or self._paths.is_empty:
            return path
        # What was that rare once would cost as many draws each time.
        self._tries = 0
        within = (self._paths.path_within(self._generator) for _ in range(self._tries_within))
        path = next(filter(self._takes, within), None)
        if path is not None:
            return path
        self._tries_within = 0
        return next(filter(self._takes, self._rest), None)

    def _in_tens(self, draw: Callable[[], str]) -> Iterator[str]:
        while True:
            yield from [draw() for _ in range(_DRAWN_TOGETHER)]

    def _mutation(self, parents: Sequence[str]) -> str:
        generator, probability = self._generator, self._params.mutation_probability
        digits = list(self._one_of(parents))
        for place in range(len(digits)):
            if generator.random_sample() < probability:
                digits[place] = self._paths.digit(generator, place)
        return "".join(digits)

    def _crossover(self, parents: Sequence[str]) -> str:
        pair = self._one_of(parents), self._one_of(parents)
        return "".join([self._one_of(digits) for digits in zip(*pair, strict=True)])

    def _one_of(self, options: Sequence[str]) -> str:
        return options[self._generator.randint(len(options))]
