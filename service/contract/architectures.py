"""Architectures of a searched network as text: which block is at each place, and how wide it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from service.contract.fields import Id

MOST_PLACES = 40
_MOST_WIDTHS = 20
"""Of a space with more places no widths are chosen: so the text of each has at most 64 characters.
"""
PUBLISHED_WIDTH = "4"
"""The digit of a width that is the published one."""
_SPACE = "[A-Za-z0-9.]{1,20}"
_TEXT = re.compile(f"(?:({_SPACE})-)?b([0-9]{{1,{MOST_PLACES}}})(?:-c([0-9]{{1,{_MOST_WIDTHS}}}))?")

Blocks = Annotated[str, Field(pattern=r"^[0-9]+$", max_length=MOST_PLACES)]
"""A digit for each place, the first place first: which of its choices stands there."""
Channels = Annotated[str, Field(pattern=r"^[0-9]+$", max_length=_MOST_WIDTHS)]
"""A digit for each place: 0 to 7 are 0.2, 0.4 … 1.6 of the published width, 4 is that itself."""
SpaceName = Annotated[str, Field(pattern=f"^{_SPACE}$", max_length=20)]
"""Of which of a recipe's spaces the digits are, where their number does not tell."""


@dataclass(frozen=True)
class Architecture:
    """What stands at each place: a digit each for its block and for its width.

    `space` names the recipe's space whose places they are; None where their number tells it.
    """

    blocks: str
    channels: str
    space: str | None = None

    @classmethod
    def of(
        cls, blocks: str, channels: str | None = None, space: str | None = None
    ) -> "Architecture":
        """The architecture of these digits; without `channels` every width is the published one."""
        widths = channels if channels is not None else PUBLISHED_WIDTH * len(blocks)
        return cls(blocks, widths, space)

    @classmethod
    def parse(cls, text: str) -> "Architecture | None":
        """The architecture of `b<digits>` or `b<digits>-c<digits>`; None for another text.

        Before it the name of its space may stand: `<space>-b<digits>`.
        """
        match = _TEXT.fullmatch(text)
        return cls.of(match[2], match[3], match[1]) if match is not None else None

    @property
    def is_published_wide(self) -> bool:
        """Whether every place has its published width."""
        same_length = len(self.channels) == len(self.blocks)
        return same_length and not self.channels.strip(PUBLISHED_WIDTH)

    @property
    def text(self) -> str:
        """The one text of this architecture; the widths are left out where all are published."""
        space = f"{self.space}-" if self.space is not None else ""
        channels = "" if self.is_published_wide else f"-c{self.channels}"
        return f"{space}b{self.blocks}{channels}"


class ArchitectureDigits(BaseModel):
    """An architecture as a submission may name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: Blocks
    channels: Channels | None = None
    space: SpaceName | None = None

    @property
    def text(self) -> str:
        """The variant that they mean."""
        return Architecture.of(self.blocks, self.channels, self.space).text


def variant_text(value: Any) -> Any:
    """The variant as text, of an architecture the one that it has; what is neither stays."""
    if isinstance(value, Mapping):
        return ArchitectureDigits.model_validate(value).text
    architecture = Architecture.parse(value) if isinstance(value, str) else None
    return architecture.text if architecture is not None else value


class FoundArchitecture(BaseModel):
    """The best path that a search has found so far, as a submission may name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search: Id


def named_variant_text(value: Any) -> Any:
    """As `variant_text`; of a search that a specification has not taken out, what is wrong."""
    if not isinstance(value, Mapping) or "search" not in value:
        return variant_text(value)
    if value.keys() & ArchitectureDigits.model_fields.keys():
        raise ValueError("name the variant by search or by blocks, not by both")
    return FoundArchitecture.model_validate(value)


class _Shown:
    """Shows in the schema which objects a variant may be, where it is sent.

    In the schema of answers, too, which have the text: a specification has one schema for both.
    """

    def __init__(self, *objects: type[BaseModel]) -> None:
        self._objects = objects

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), *(each.model_json_schema() for each in self._objects)]}


Variant = Annotated[Id, BeforeValidator(variant_text), _Shown(ArchitectureDigits)]
"""A network of a recipe: by name, or by `{"blocks": "2101…"}`, which is stored as `b2101…`."""
NamedVariant = Annotated[
    Id, BeforeValidator(named_variant_text), _Shown(ArchitectureDigits, FoundArchitecture)
]
"""As Variant; also `{"search": "job_…"}`, which a specification takes out of it before."""
