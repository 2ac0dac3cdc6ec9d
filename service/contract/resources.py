"""What a job needs of a worker: GPUs or ranks, on how many hosts, and labels."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from service.contract.fields import Labels
from service.contract.json_types import WHOLE_NUMBER
from service.contract.registration import MOST_GPUS, MOST_SLOTS
from service.contract.sentences import BRANCH

MOST_RANKS = 256
"""On the CPU of one host."""


class GpuRange(BaseModel):
    """From how many GPUs to how many a job may have on each host; a claim decides the number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: Annotated[int, Field(ge=1, le=MOST_GPUS), WHOLE_NUMBER]
    max: Annotated[int, Field(ge=1, le=MOST_GPUS), WHOLE_NUMBER]

    @model_validator(mode="after")
    def _is_a_range(self) -> "GpuRange":
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}: exchange them")
        return self

    def __str__(self) -> str:
        return f"{self.min} to {self.max}"


def _branch(gpus: Any) -> str:
    is_range = isinstance(gpus, Mapping | GpuRange)
    return f"{BRANCH}range" if is_range else f"{BRANCH}number"


Gpus = Annotated[
    Annotated[int, Field(ge=0, le=MOST_GPUS), WHOLE_NUMBER, Tag(f"{BRANCH}number")]
    | Annotated[GpuRange, Tag(f"{BRANCH}range")],
    Discriminator(_branch),
]


def _refuse_range(ranks: Any) -> Any:
    if isinstance(ranks, Mapping):
        raise ValueError("must be one number: of GPUs alone a worker tells how many are free")
    return ranks


class Resources(BaseModel):
    """What a worker must have free: `gpus` on each of `hosts`, with one rank for each GPU.

    Without GPUs there are `ranks` on the CPU of each host. What a worker is sent has one number of
    GPUs, never a range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpus: Gpus = 0
    hosts: Annotated[
        int, Field(ge=1, le=MOST_SLOTS, exclude_if=lambda hosts: hosts == 1), WHOLE_NUMBER
    ] = 1
    ranks: Annotated[
        int,
        Field(ge=1, le=MOST_RANKS, exclude_if=lambda ranks: ranks == 1),
        WHOLE_NUMBER,
        BeforeValidator(_refuse_range),
    ] = 1
    labels: Labels = Field(default_factory=dict)

    @property
    def gpu_range(self) -> GpuRange | None:
        """The range of GPUs; None for one number."""
        return self.gpus if isinstance(self.gpus, GpuRange) else None

    @property
    def gpu_count(self) -> int:
        """The number of GPUs on each host; only of resources without a range."""
        assert not isinstance(self.gpus, GpuRange), "the claim of a job has decided the number"
        return self.gpus

    @property
    def ranks_per_host(self) -> int:
        """How many processes train on each host; only of resources without a range."""
        return self.gpu_count or self.ranks

    @property
    def world_size(self) -> int:
        """How many processes train together; only of resources without a range."""
        return self.hosts * self.ranks_per_host

    def with_gpus(self, number: int) -> "Resources":
        """These resources with one number of GPUs."""
        return self.model_copy(update={"gpus": number})

    @model_validator(mode="after")
    def _ranks_are_of_gpus_or_of_the_cpu(self) -> "Resources":
        if self.gpus and self.ranks > 1:
            raise ValueError(
                f"with gpus there is one rank for each of them: leave out ranks {self.ranks}, "
                "or set gpus to 0"
            )
        return self
