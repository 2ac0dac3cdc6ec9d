"""Samples of use: how busy a worker's host and its GPUs are at one moment, and series of them."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from service.contract.fields import IdText, Measure, Number, Step
from service.contract.reading import PeerMessage, log_once
from service.contract.sentences import sentence_of
from service.contract.text import CutTo

MOST_SAMPLED_GPUS = 64
"""Of a worker; the first count."""
_MOST_ATTEMPTS = 1000
_MOST_SERIES = 1000
_MOST_POINTS = 10_000

Fraction = Annotated[
    Measure, AfterValidator(lambda part: part if part is None else min(max(part, 0.0), 1.0))
]
"""A part of what there is, from 0 to 1; None where it is not known."""


class GpuSample(PeerMessage):
    """The use of one GPU; None for what its driver does not tell.

    `use` is the part of the time in which it computed. `job_id` and `attempt` are the attempt that
    it is given to.
    """

    index: Number
    use: Fraction = None
    memory_used_bytes: Step | None = None
    memory_total_bytes: Step | None = None
    temperature_celsius: Measure = None
    power_watts: Measure = None
    job_id: IdText | None = None
    attempt: Number | None = None


class Sample(PeerMessage):
    """The use of a worker's host, of the disk of its volume, and of its GPUs at one moment.

    `cpu_use` is the part of all cores' time since the sample before; None for what is not known.
    """

    cpu_use: Fraction = None
    memory_used_bytes: Step | None = None
    memory_total_bytes: Step | None = None
    disk_used_bytes: Step | None = None
    disk_total_bytes: Step | None = None
    gpus: Annotated[tuple[GpuSample, ...], CutTo(MOST_SAMPLED_GPUS)] = ()


def _none_if_unreadable(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError as error:
        log_once("unreadable_sample", sentence_of(error))
        return None


SentSample = Annotated[Sample | None, WrapValidator(_none_if_unreadable)]
"""A sample of another version; None if it cannot be read, for it must cost no lease."""

SamplePoint = Annotated[
    tuple[int, float],
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
"""Seconds since 1970 (UTC) by the server's clock, and a value."""

SampleSeries = Annotated[
    dict[IdText, Annotated[list[SamplePoint], CutTo(_MOST_POINTS)]],
    CutTo(_MOST_SERIES),
    Field(
        description=(
            "By name the [seconds since 1970, value] pairs: `cpu_use`, `memory_use` and `disk_use` "
            "of the host; `gpu0.use`, `gpu0.memory_use`, `gpu0.temperature_celsius` and "
            "`gpu0.power_watts` of each GPU. What ends with `use` is a part, from 0 to 1."
        )
    ),
]
"""Each name's points in the order of time."""


class WorkerSamples(BaseModel):
    """The use of a worker's host and GPUs; of many points the lowest and highest are kept."""

    object: Literal["samples"] = "samples"
    worker_id: IdText
    series: SampleSeries


class AttemptSamples(BaseModel):
    """The use of an attempt's host and of its GPUs, while the attempt ran."""

    attempt: int
    worker_id: IdText
    gpus: Annotated[tuple[Number, ...], CutTo(MOST_SAMPLED_GPUS)] | None = None
    series: SampleSeries


class JobSamples(BaseModel):
    """The use of the hosts and GPUs of a job's attempts, oldest first."""

    object: Literal["samples"] = "samples"
    job_id: IdText
    attempts: Annotated[list[AttemptSamples], CutTo(_MOST_ATTEMPTS)]
