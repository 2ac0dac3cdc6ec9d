"""What a run and its trial of `torch.compile`, a process of its own, send each other as JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from workers.training.execution import Execution


class TrialRequest(BaseModel):
    """What is tried: an eager execution of rank 0 of `world_size`, and the same one compiled.

    `device` is as torch writes it, `threads` the number that a step computes with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    variant: str
    params: dict[str, Any]
    classes: int
    world_size: int
    execution: Execution
    device: str
    threads: int


class TrialAnswer(BaseModel):
    """The seconds for an image, eager and compiled, each None if memory ran out; or a problem.

    The problem is a clause, as in `the network does not compile here: no such kernel`; it `lasts`
    where another trial on the same worker would end the same, unless it had much more time than
    `limit_seconds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    eager_seconds: float | None = None
    compiled_seconds: float | None = None
    problem: str | None = None
    lasts: bool = False
    limit_seconds: float | None = None
