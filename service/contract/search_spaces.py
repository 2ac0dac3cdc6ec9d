"""The spaces of networks of which a recipe takes any architecture."""

from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from service.contract.architectures import MOST_PLACES, Architecture, Blocks, SpaceName
from service.contract.text import ShortText

XCEPTION = 3
KERNELS = {0: 3, 1: 5, 2: 7}
"""The side of the depthwise convolutions of an inverted block; 3 is an xception block."""
WIDTHS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
"""Of half the output channels, by the digit of a width."""

_MOST_CHANNELS = 2**16
_Channels = Annotated[int, Field(ge=2, le=_MOST_CHANNELS)]
_Units = Annotated[int, Field(ge=1, le=MOST_PLACES)]


class Place(NamedTuple):
    """Where a unit stands; the first of each stage has stride 2."""

    channels_in: int
    channels_out: int
    stride: int

    @property
    def split(self) -> int:
        """The channels that a unit transforms; at stride 1 the other half passes it."""
        return self.channels_in if self.stride == 2 else self.channels_in // 2

    @property
    def new(self) -> int:
        """The channels that the transformed ones become; those beside them make up the output."""
        return self.channels_out - self.split

    def middle(self, width: int) -> int:
        """The channels within a unit, for the digit of its width."""
        return int(self.channels_out // 2 * WIDTHS[width])


def placements(stem: int, stages: Iterable[tuple[int, int]]) -> Iterator[Place]:
    """Where each unit stands behind `stem` channels; a stage is (channels, number of units)."""
    channels = stem
    for out, units in stages:
        for unit in range(units):
            yield Place(channels, out, 2 if unit == 0 else 1)
            channels = out


# Left out of a form that has none of them: its digest stays what it was.
_Name = Annotated[SpaceName | None, Field(exclude_if=lambda name: name is None)]
_Not = Annotated[bool, Field(exclude_if=lambda value: not value)]
_Count = Annotated[int | None, Field(ge=0, exclude_if=lambda count: count is None)]
_Digits = Annotated[Blocks | None, Field(exclude_if=lambda digits: digits is None)]


class SearchSpace(BaseModel):
    """Networks of a stem, searched units in stages of (channels, units), and a last convolution.

    A place has four choices: 0, 1 and 2 are inverted units of kernel 3, 5 and 7, and 3 is an
    xception unit. `named` are the architectures of variants that have names.
    Source: arXiv:1904.00420.

    - `name`: of a space that is one of several; `only_by_name`: digits alone do not mean it.
    - `fixed_widths`: every place has its published width, and no other one.
    - `biased`: the first and the last convolution and the classifier have biases.
    - `excited_from`: the units of the stages from this one on, which counts from 0, end in
      squeeze-excite. With `hidden`, so does the pooled output of the last convolution, and then
      comes a linear layer of so many features.
    - `original_begins`: the blocks with which a stage can begin in the original program; None: any.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    stem: _Channels
    stages: Annotated[tuple[tuple[_Channels, _Units], ...], Field(min_length=1, max_length=10)]
    last: _Channels
    named: Annotated[dict[ShortText, ShortText], Field(max_length=100)] = Field(
        default_factory=dict
    )
    name: _Name = None
    only_by_name: _Not = False
    fixed_widths: _Not = False
    biased: _Not = False
    excited_from: _Count = None
    hidden: _Count = None
    original_begins: _Digits = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place, the first one first."""
        return tuple(placements(self.stem, self.stages))

    @property
    def excited(self) -> tuple[bool, ...]:
        """For each place whether its unit ends in squeeze-excite."""
        first = len(self.stages) if self.excited_from is None else self.excited_from
        return tuple(
            stage >= first for stage, (_, units) in enumerate(self.stages) for _ in range(units)
        )

    @property
    def digits(self) -> str:
        """How a user writes an architecture of it."""
        count = len(self.places)
        space = f'"space": "{self.name}", ' if self.only_by_name else ""
        blocks = f'{{{space}"blocks": {count} digits of 0 to {XCEPTION}}}'
        if self.fixed_widths:
            return blocks
        return (
            f'{blocks}, and "channels": {count} digits of '
            f"0 to {len(WIDTHS) - 1}, where not every width is the published one"
        )

    def problem(self, architecture: Architecture) -> tuple[str, str] | None:
        """What keeps digits from being an architecture of this space, and in which field it is.

        None for an architecture of this space.
        """
        if architecture.space not in (None, self.name):
            return "space", f"there is no space {architecture.space}"
        if self.fixed_widths and not architecture.is_published_wide:
            return "channels", "every width is the published one: leave channels out"
        for name, digits, choices in (
            ("blocks", architecture.blocks, XCEPTION + 1),
            ("channels", architecture.channels, len(WIDTHS)),
        ):
            expected = f"{len(self.places)} digits of 0 to {choices - 1}, one for each place"
            if len(digits) != len(self.places):
                return name, f"{name} must have {expected}: these are {len(digits)}"
            wrong = [place for place, digit in enumerate(digits) if int(digit) >= choices]
            if wrong:
                at = f"at place {wrong[0]} is {digits[wrong[0]]}"
                return name, f"{name} must have {expected}: {at}"
        return None

    def architecture(self, variant: str) -> Architecture | None:
        """The architecture of a variant; None for a text that is none of this space."""
        architecture = Architecture.parse(self.named.get(variant, variant))
        if architecture is None or self.problem(architecture) is not None:
            return None
        return architecture

    def variant(self, architecture: Architecture) -> str:
        """The one text by which the architecture is a variant: its name, if it has one."""
        alone = Architecture(architecture.blocks, architecture.channels)
        own = self.name if self.only_by_name else None
        text = Architecture(alone.blocks, alone.channels, own).text
        return next((name for name, digits in self.named.items() if digits == alone.text), text)

    def original_problem(self, architecture: Architecture) -> str | None:
        """Why the original program does not run the network; None if it does."""
        for number, (place, block) in enumerate(zip(self.places, architecture.blocks, strict=True)):
            begins = self.original_begins if place.stride == 2 else None
            if begins is not None and block not in begins:
                return (
                    f"in the original program no unit of choice {block} can begin a stage, and "
                    f"place {number} has one: its branches would have different sides"
                )
        return None
