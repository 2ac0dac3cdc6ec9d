"""The spaces of networks of which a recipe takes any architecture."""

from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from service.contract.architectures import MOST_PLACES, Architecture
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


class SearchSpace(BaseModel):
    """Networks of a stem, searched units in stages of (channels, units), and a last convolution.

    A place has four choices: 0, 1 and 2 are inverted units of kernel 3, 5 and 7, and 3 is an
    xception unit. `named` are the architectures of variants that have names.
    Source: arXiv:1904.00420.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    stem: _Channels
    stages: Annotated[tuple[tuple[_Channels, _Units], ...], Field(min_length=1, max_length=10)]
    last: _Channels
    named: Annotated[dict[ShortText, ShortText], Field(max_length=100)] = Field(
        default_factory=dict
    )

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place, the first one first."""
        return tuple(placements(self.stem, self.stages))

    @property
    def digits(self) -> str:
        """How a user writes an architecture of it."""
        count = len(self.places)
        return (
            f'{{"blocks": {count} digits of 0 to {XCEPTION}}}, and "channels": {count} digits of '
            f"0 to {len(WIDTHS) - 1}, where not every width is the published one"
        )

    def problem(self, architecture: Architecture) -> tuple[str, str] | None:
        """What keeps digits from being an architecture of this space, and in which field it is.

        None for an architecture of this space.
        """
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
        named = (name for name, text in self.named.items() if text == architecture.text)
        return next(named, architecture.text)
