"""What a job needs of a worker: GPUs or ranks, on how many hosts, and labels."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.contract.fields import Labels
from service.contract.json_types import WHOLE_NUMBER
from service.contract.registration import MOST_GPUS, MOST_SLOTS

MOST_RANKS = 256
"""On the CPU of one host."""


class Resources(BaseModel):
    """What a worker must have free: `gpus` on each of `hosts`, with one rank for each GPU.

    Without GPUs there are `ranks` on the CPU of each host.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpus: Annotated[int, Field(ge=0, le=MOST_GPUS), WHOLE_NUMBER] = 0
    hosts: Annotated[
        int, Field(ge=1, le=MOST_SLOTS, exclude_if=lambda hosts: hosts == 1), WHOLE_NUMBER
    ] = 1
    ranks: Annotated[
        int, Field(ge=1, le=MOST_RANKS, exclude_if=lambda ranks: ranks == 1), WHOLE_NUMBER
    ] = 1
    labels: Labels = Field(default_factory=dict)

    @property
    def ranks_per_host(self) -> int:
        """How many processes train on each host."""
        return self.gpus or self.ranks

    @property
    def world_size(self) -> int:
        """How many processes train together."""
        return self.hosts * self.ranks_per_host

    @model_validator(mode="after")
    def _ranks_are_of_gpus_or_of_the_cpu(self) -> "Resources":
        if self.gpus and self.ranks > 1:
            raise ValueError(
                f"with gpus there is one rank for each of them: leave out ranks {self.ranks}, "
                "or set gpus to 0"
            )
        return self
