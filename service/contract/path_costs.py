"""What each path through a supernet costs: a sum over its places."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.contract.architecture_costs import cost_of, unit_cost
from service.contract.architectures import PUBLISHED_WIDTH, Architecture
from service.contract.search_spaces import XCEPTION, SearchSpace


@dataclass(frozen=True)
class PathCosts:
    """Multiply-adds for one image: `fixed` of stem and tail, and those of each choice by place."""

    fixed: int
    of_places: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, space: SearchSpace, image_size: int, classes: int) -> "PathCosts":
        """Of the paths of published widths; `image_size` is a multiple of 32."""
        width, side, found = int(PUBLISHED_WIDTH), image_size // 2, []
        for place in space.places:
            units = (unit_cost(place, block, width, side) for block in range(XCEPTION + 1))
            found.append(tuple(unit.multiply_adds for unit in units))
            side //= place.stride
        whole = cost_of(space, Architecture.of("0" * len(found)), image_size, classes)
        return cls(whole.multiply_adds - sum(costs[0] for costs in found), tuple(found))

    def of_path(self, blocks: str) -> int:
        """The multiply-adds of a path: a digit for each place."""
        return self.fixed + sum(
            costs[int(digit)] for costs, digit in zip(self.of_places, blocks, strict=True)
        )

    def least(self, choices: Sequence[str]) -> int:
        """The multiply-adds of the cheapest path; `choices` are the allowed digits by place."""
        return self.fixed + sum(min(costs) for costs in self._allowed(choices))

    def most(self, choices: Sequence[str]) -> int:
        """Those of the dearest path."""
        return self.fixed + sum(max(costs) for costs in self._allowed(choices))

    def _allowed(self, choices: Sequence[str]) -> list[list[int]]:
        return [
            [costs[int(digit)] for digit in allowed]
            for costs, allowed in zip(self.of_places, choices, strict=True)
        ]
