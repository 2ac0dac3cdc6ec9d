"""Workers as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.agent import Gpu
from service.contract.reading import Extensible


class WorkerState(StrEnum):
    """Where a worker stands; `gone` said goodbye, `lost` fell silent for good.

    A `draining` one was asked to claim nothing new, a `quarantined` one may not: `message` says
    why.
    """

    ACTIVE = "active"
    DRAINING = "draining"
    QUARANTINED = "quarantined"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    GONE = "gone"


class Worker(BaseModel):
    """A worker process, and the jobs it runs now.

    `catalog_digest` is of what it says it can do; None for a worker that never said, which can do
    what is built in.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["worker"] = "worker"
    id: str
    host: str
    state: Annotated[WorkerState, Extensible]
    message: str | None = None
    gpus: tuple[Gpu, ...] = ()
    slots: int = 1
    labels: dict[str, str] = Field(default_factory=dict)
    version: str = ""
    catalog_digest: str | None = None
    jobs: tuple[str, ...] = ()
    registered_at: datetime
    last_seen_at: datetime
