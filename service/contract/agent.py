"""What agents and the control plane say to each other; every verb may be sent twice."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.checkpoints import Checkpoint
from service.contract.jobs import JobSpec, Reason

Directive = Literal["continue", "checkpoint_and_stop", "stop"]
Outcome = Literal["succeeded", "failed", "cancelled", "released"]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Gpu(_Wire):
    """One device of a worker."""

    index: int
    name: str
    memory_bytes: int


class Registration(_Wire):
    """`PUT /agent/workers/{id}`: who a worker is; its id is fresh for each process start."""

    host: str
    pid: int
    gpus: tuple[Gpu, ...] = ()
    slots: Annotated[int, Field(ge=1, le=1024)] = 1
    labels: dict[str, str] = Field(default_factory=dict)
    version: str = ""


class ClaimRequest(_Wire):
    """`POST /agent/claims`: the same `request_id` gives the same claim again."""

    worker_id: str
    request_id: str
    free_slots: int = 1
    free_gpus: int = 0
    wait_seconds: Annotated[float, Field(ge=0, le=25)] = 25.0


class Lease(_Wire):
    """How a lease is kept; the worker counts on its own monotonic clock."""

    heartbeat_seconds: float
    self_end_seconds: float
    kill_grace_seconds: float


class Claim(_Wire):
    """Everything an attempt needs; `resume` is newest first, `weights` the init or eval source."""

    job_id: str
    attempt: int
    token: str
    spec: JobSpec
    lease: Lease
    resume: tuple[Checkpoint, ...] = ()
    weights: Checkpoint | None = None


class ReportedEvent(_Wire):
    """A line of `events.jsonl`; `seq` counts from 1 in an attempt.

    Kinds: `started {total_steps, resumed_from, step}`; `progress {phase, step, total_steps,
    images_per_second, eta_seconds, metrics}`; `metrics {step, metrics}` (validation; names as
    `val_loss`, `top1_error`, `top5_error`); `checkpoint {checkpoint, path}` (a `Manifest` and its
    folder relative to the volume); `damaged {checkpoint_id, problems}`; `note {message}`;
    `ended {outcome, reason, message, result}` (the trainer's last word).
    """

    seq: int
    kind: Literal["started", "progress", "metrics", "checkpoint", "damaged", "note", "ended"]
    at: datetime
    body: dict[str, Any] = Field(default_factory=dict)


class Beat(_Wire):
    """One attempt's share of a heartbeat: events since the last acknowledged."""

    job_id: str
    attempt: int
    token: str
    events: tuple[ReportedEvent, ...] = ()


class Heartbeat(_Wire):
    """`POST /agent/heartbeats`: one agent beats once for all its attempts."""

    worker_id: str
    beats: tuple[Beat, ...] = ()


class BeatReply(_Wire):
    """What the attempt is to do; `lease_lost` means end the tree and report nothing more."""

    job_id: str
    attempt: int
    directive: Directive = "continue"
    lease_lost: bool = False
    acked_seq: int = 0


class HeartbeatReply(_Wire):
    """One reply for each beat; `drain` asks the worker to claim nothing new."""

    replies: tuple[BeatReply, ...] = ()
    drain: bool = False


class Report(_Wire):
    """`POST /agent/reports`: the end of an attempt, with its last events; the first end wins."""

    job_id: str
    attempt: int
    token: str
    outcome: Outcome
    reason: Reason
    message: str = ""
    result: dict[str, Any] | None = None
    events: tuple[ReportedEvent, ...] = ()
