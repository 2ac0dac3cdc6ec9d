"""What agents and the control plane say to each other; every verb may be sent twice."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from service.contract.checkpoints import Checkpoint
from service.contract.fields import Id, LabelKey, LabelValue, Number, Result, Step, Text, WorkerText
from service.contract.jobs import Reason
from service.contract.reading import Extensible, PeerMessage, log_once
from service.contract.specs import AnySpec, EvalSpec, TrainSpec

Directive = Literal["continue", "checkpoint_and_stop", "stop"]
AttemptOutcome = Literal["succeeded", "failed", "cancelled", "released"]
EventKind = Literal["started", "progress", "metrics", "checkpoint", "damaged", "note", "ended"]

REASONS: dict[AttemptOutcome, tuple[Reason, ...]] = {
    "succeeded": (Reason.FINISHED,),
    "cancelled": (Reason.CANCELLED,),
    "released": (Reason.RELEASED, Reason.PREEMPTED),
    "failed": (
        Reason.CRASHED,
        Reason.NON_FINITE_LOSS,
        Reason.STALLED,
        Reason.DISK_FULL,
        Reason.WORKER_UNFIT,
        Reason.WORKER_LOST,
        Reason.INVALID_DATA,
        Reason.OUT_OF_MEMORY,
        Reason.INCOMPATIBLE_CHECKPOINT,
    ),
}
"""Which reasons an agent may give for an outcome."""


def _known_directive(directive: Any) -> Any:
    if not isinstance(directive, str) or directive in get_args(Directive):
        return directive
    log_once("unknown_value", f"directive={directive[:64]}")
    return "continue"


class Gpu(PeerMessage):
    """One device of a worker."""

    index: Number
    name: Text
    memory_bytes: Step


class ProcessIdentity(PeerMessage):
    """A process, so that another one on the same kernel can tell surely whether it still lives.

    `boot_id` is `/proc/sys/kernel/random/boot_id`, `pid_namespace` the target of
    `/proc/self/ns/pid`, `started_ticks` the 22nd field of `/proc/<pid>/stat`.
    """

    boot_id: str
    pid_namespace: str
    pid: int
    started_ticks: int


class Registration(PeerMessage):
    """`PUT /agent/workers/{id}`: who a worker is; its id is fresh for each process start."""

    host: Annotated[Text, Field(max_length=255)]
    process: ProcessIdentity
    gpus: tuple[Gpu, ...] = ()
    slots: Annotated[int, Field(ge=1, le=1024)] = 1
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    version: Annotated[Text, Field(max_length=64)] = ""


class Predecessor(PeerMessage):
    """A worker of the same boot and pid namespace that has not said goodbye."""

    worker_id: str
    process: ProcessIdentity


class RegistrationReply(PeerMessage):
    """The reply: whoever of the neighbours is dead is told of by `POST /agent/workers/{id}/gone`.

    So a worker that was killed and started again need not wait for its own old lease.
    """

    neighbours: tuple[Predecessor, ...] = ()


class Gone(PeerMessage):
    """`POST /agent/workers/{id}/gone`: the worker has ended, and every process it had."""

    message: WorkerText = ""


class ClaimRequest(PeerMessage):
    """`POST /agent/claims`: a `Claim`, or 204; the same `request_id` gives the same claim again."""

    worker_id: Id
    request_id: Id
    free_slots: Number = 1
    free_gpus: Number = 0
    wait_seconds: Annotated[float, Field(ge=0, le=25)] = 25.0


class Lease(PeerMessage):
    """How a lease is kept; the worker counts on its own monotonic clock."""

    heartbeat_seconds: float
    self_end_seconds: float
    kill_grace_seconds: float
    stall_seconds: float


class Claim(PeerMessage):
    """Everything an attempt needs.

    `resume` is newest first; `weights` is what a train starts from, an eval or an export takes.
    """

    job_id: str
    attempt: int
    token: str
    spec: AnySpec
    lease: Lease
    resume: tuple[Checkpoint, ...] = ()
    weights: Checkpoint | None = None

    @property
    def job_spec(self) -> TrainSpec | EvalSpec:
        """The spec of a train or an eval; whoever asks has looked at the kind."""
        assert isinstance(self.spec, TrainSpec | EvalSpec)
        return self.spec


class ReportedEvent(PeerMessage):
    """A line of `events.jsonl`; `seq` counts from 1 in an attempt.

    The bodies are in `service.contract.events`; that of `ended`, the last event of a run, is an
    `AttemptResult`.
    """

    seq: Step
    kind: Annotated[EventKind, Extensible]
    at: datetime
    body: dict[str, Any] = Field(default_factory=dict)


class Purge(PeerMessage):
    """A checkpoint that retention lets go; `path` is relative to the volume."""

    checkpoint_id: str
    path: str


class Beat(PeerMessage):
    """One attempt's share of a heartbeat: events since the last acknowledged, in order.

    The first beat of an attempt says that the claim arrived. `purged` are ids whose folders
    are gone.
    """

    job_id: Id
    attempt: Number
    token: str
    events: tuple[ReportedEvent, ...] = ()
    purged: tuple[Id, ...] = ()


class Heartbeat(PeerMessage):
    """`POST /agent/heartbeats`: one agent beats once for all its attempts."""

    worker_id: Id
    beats: tuple[Beat, ...] = ()


class BeatReply(PeerMessage):
    """What the attempt is to do; `lease_lost` means end the tree and report nothing more.

    `purge` is to be removed once the attempt's newest checkpoint verifies; it is said again until
    it is confirmed by `purged`. A directive that this version does not know is read as `continue`.
    """

    job_id: str
    attempt: int
    directive: Annotated[Directive, BeforeValidator(_known_directive)] = "continue"
    lease_lost: bool = False
    acked_seq: int = 0
    purge: tuple[Purge, ...] = ()


class HeartbeatReply(PeerMessage):
    """One reply for each beat; `drain` asks the worker to claim nothing new."""

    replies: tuple[BeatReply, ...] = ()
    drain: bool = False


class AttemptResult(PeerMessage):
    """How an attempt ended; `result` is what it leaves for its users, as a job's `result` shows it.

    It is the body of the run's `ended` event, and part of the agent's report.
    """

    outcome: AttemptOutcome
    reason: Annotated[Reason, Extensible]
    message: WorkerText = ""
    result: Result | None = None

    @model_validator(mode="after")
    def _reason_fits(self) -> Self:
        fitting = REASONS[self.outcome]
        # What a newer worker calls it is kept; `service.domain.retry` has the rule for it.
        if self.reason in list(Reason) and self.reason not in fitting:
            raise ValueError(f"an attempt that has {self.outcome} may say {', '.join(fitting)}")
        return self


class Report(AttemptResult):
    """`POST /agent/reports`: the end of an attempt, with its last events; the first end wins.

    The reply is a `BeatReply`: 200 for a repeat of the end that won, 409 `lease_lost` otherwise.
    """

    job_id: Id
    attempt: Number
    token: str
    events: tuple[ReportedEvent, ...] = ()
