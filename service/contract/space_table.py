"""The spaces of a recipe, and which of them is meant by an architecture."""

from dataclasses import dataclass
from typing import NamedTuple

from service.contract.architectures import Architecture
from service.contract.search_spaces import SearchSpace


class PlacedArchitecture(NamedTuple):
    """An architecture, and the space whose places its digits are."""

    space: SearchSpace
    architecture: Architecture


@dataclass(frozen=True)
class SpaceTable:
    """The spaces of one recipe, false where it has none.

    Digits alone mean the first space that has as many places, of those that need no name.
    """

    spaces: tuple[SearchSpace, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spaces)

    @property
    def digits(self) -> str:
        """How a user writes an architecture of one of the spaces."""
        return " or ".join(space.digits for space in self.spaces)

    def named(self, name: str | None) -> SearchSpace | None:
        """The space of this name."""
        return next((space for space in self.spaces if space.name == name), None)

    def space_of(self, architecture: Architecture) -> SearchSpace | None:
        """The space whose architecture it is; None if it is of none."""
        if self.problem(architecture) is not None:
            return None
        return self._meant(architecture)

    def problem(self, architecture: Architecture) -> tuple[str, str] | None:
        """What keeps digits from being an architecture of a space, and in which field it is.

        None for an architecture of one of them.
        """
        space = self._meant(architecture)
        if space is not None:
            return space.problem(architecture)
        by_digits = [space for space in self.spaces if not space.only_by_name]
        if architecture.space is not None or not by_digits:
            names = ", ".join(space.name for space in self.spaces if space.name is not None)
            expected = f"one of {names}" if names else "left out, as there is only one"
            return "space", f"space must be {expected}"
        if len(by_digits) == 1:
            return by_digits[0].problem(architecture)
        counts = " or ".join(f"{len(each.places)} ({each.name})" for each in by_digits)
        given = len(architecture.blocks)
        return "blocks", f"blocks must have {counts} digits, one for each place: these are {given}"

    def find(self, variant: str) -> PlacedArchitecture | None:
        """The architecture of a variant, by its name or its text; None for another text."""
        for space in self.spaces:
            if variant in space.named:
                architecture = space.architecture(variant)
                return PlacedArchitecture(space, architecture) if architecture else None
        architecture = Architecture.parse(variant)
        found = self.space_of(architecture) if architecture is not None else None
        if architecture is None or found is None:
            return None
        return PlacedArchitecture(found, architecture)

    def variant(self, architecture: Architecture) -> str:
        """The one text by which an architecture of a space is a variant."""
        space = self.space_of(architecture)
        assert space is not None
        return space.variant(architecture)

    def original_problem(self, variant: str) -> str | None:
        """Why a variant cannot be a file for the recipe's original program; None if it can."""
        found = self.find(variant)
        problem = found.space.original_problem(found.architecture) if found is not None else None
        return f"{problem}; export it as safetensors, onnx or torch_export" if problem else None

    def _meant(self, architecture: Architecture) -> SearchSpace | None:
        if architecture.space is not None:
            return self.named(architecture.space)
        places = len(architecture.blocks)
        fitting = (each for each in self.spaces if not each.only_by_name)
        return next((each for each in fitting if len(each.places) == places), None)
