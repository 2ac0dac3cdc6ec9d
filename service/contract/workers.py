"""Workers as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import IdText, LabelTexts
from service.contract.reading import Extensible
from service.contract.registration import MOST_GPUS, MOST_SLOTS, Gpu
from service.contract.samples import SentSample
from service.contract.text import CutTo, Message, ShortText

_MOST_NAMES = 1000


class WorkerState(StrEnum):
    """The state of a worker.

    A `draining` worker claims no new jobs, and a `quarantined` one may not; `message` says why. An
    `unreachable` worker has sent no heartbeat for a while, a `lost` one for too long. A `gone`
    worker has ended.
    """

    ACTIVE = "active"
    DRAINING = "draining"
    QUARANTINED = "quarantined"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    GONE = "gone"


class Worker(BaseModel):
    """A worker process, and the jobs it runs now.

    `catalog_digest` is the digest of the catalog that it has sent; a worker without one can run
    the built-in recipes. Of a worker that stands for several `hosts`, `gpus` are those of each.
    `job_names` has the names of those of its jobs that have one. `sample` is the last sample of its
    use, if there is one of the last hour and samples are asked for.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["worker"] = "worker"
    id: IdText
    host: ShortText
    state: Annotated[WorkerState, Extensible]
    message: Message | None = None
    gpus: Annotated[tuple[Gpu, ...], CutTo(MOST_GPUS)] = ()
    slots: int = 1
    hosts: Annotated[int, Field(exclude_if=lambda hosts: hosts == 1)] = 1
    labels: LabelTexts = Field(default_factory=dict)
    version: ShortText = ""
    catalog_digest: IdText | None = None
    jobs: Annotated[tuple[IdText, ...], CutTo(MOST_SLOTS)] = ()
    job_names: Annotated[dict[IdText, ShortText], CutTo(MOST_SLOTS)] = Field(default_factory=dict)
    sample: SentSample = None
    sampled_at: datetime | None = None
    registered_at: datetime
    last_seen_at: datetime

    @property
    def unusable_gpus(self) -> tuple[Gpu, ...]:
        """Those of its GPUs that no job is given."""
        return tuple(gpu for gpu in self.gpus if gpu.problem is not None)

    @property
    def usable_gpu_count(self) -> int:
        """How many GPUs a job may have here."""
        return len(self.gpus) - len(self.unusable_gpus)


class WorkerDetail(Worker):
    """A worker with the names of the recipes and of the kinds of job that it can run."""

    recipes: Annotated[tuple[ShortText, ...], CutTo(_MOST_NAMES)] = ()
    kinds: Annotated[tuple[ShortText, ...], CutTo(_MOST_NAMES)] = ()
