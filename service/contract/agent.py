"""The messages of an agent about attempts: claims, heartbeats, reports; each may be sent twice."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from service.contract.candidates import Fitness
from service.contract.checkpoints import Checkpoint
from service.contract.fields import (
    Id,
    IdText,
    Moment,
    Number,
    Result,
    Step,
)
from service.contract.jobs import Reason
from service.contract.json_values import JsonCutTo
from service.contract.reading import Extensible, PeerMessage, log_once
from service.contract.registration import MOST_SLOTS
from service.contract.samples import SentSample
from service.contract.search_params import MOST_CANDIDATES
from service.contract.specs import AnySpec, EvalSpec, TrainSpec
from service.contract.text import CutTo, Message, PathText, ShortText
from service.contract.time_spent import TimeSpent
from service.contract.tolerance import ReplaceUnreadable
from service.contract.unreadable_events import MOST_EVENTS, first_events, unreadable_event

Directive = Literal["continue", "checkpoint_and_stop", "stop"]
AttemptOutcome = Literal["succeeded", "failed", "cancelled", "released"]
EVENT_BYTES = 4 * 1024 * 1024
_MOST_CHECKPOINTS = 10_000

EventKind = Literal[
    "started",
    "progress",
    "metrics",
    "checkpoint",
    "damaged",
    "note",
    "candidates",
    "wanted",
    "ended",
]

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
"""The reasons that an agent may report with each outcome."""


def _known_directive(directive: Any) -> Any:
    if not isinstance(directive, str) or directive in get_args(Directive):
        return directive
    log_once("unknown_value", f"directive={directive[:64]}")
    return "continue"


class ClaimRequest(PeerMessage):
    """`POST /agent/claims`: asks for a job; the reply is a `Claim`, or 204 if there is none.

    A repeated `request_id` gets the claim of its first request. `wait_seconds` is how long the
    server may wait for a job.
    """

    worker_id: Id
    request_id: Id
    free_slots: Number = 1
    free_gpus: Number = 0
    wait_seconds: Annotated[float, Field(ge=0, le=25)] = 25.0


class Lease(PeerMessage):
    """The times of a lease in seconds, which the worker measures with its own monotonic clock.

    A worker that reaches no server for `self_end_seconds` ends its attempts, and kills them
    `kill_grace_seconds` later. An attempt without progress for `stall_seconds` has stalled.
    """

    heartbeat_seconds: float
    self_end_seconds: float
    kill_grace_seconds: float
    stall_seconds: float


class Claim(PeerMessage):
    """A claimed job with everything that its attempt needs.

    `resume` has the training checkpoints to resume from, the newest first. `weights` is the
    checkpoint from which a train starts, or which an eval or an export uses.
    """

    job_id: IdText
    attempt: int
    token: ShortText
    spec: AnySpec
    lease: Lease
    resume: Annotated[tuple[Checkpoint, ...], CutTo(_MOST_CHECKPOINTS)] = ()
    weights: Checkpoint | None = None
    candidates: Annotated[
        tuple[Fitness, ...], CutTo(2 * MOST_CANDIDATES), Field(exclude_if=lambda known: not known)
    ] = ()
    """What earlier attempts of a search, and the search that it names as known, have measured."""
    traceparent: Annotated[
        Annotated[str, CutTo(64)] | None, Field(exclude_if=lambda parent: parent is None)
    ] = None
    """The span that the attempt is in, where the server traces its jobs."""

    @property
    def job_spec(self) -> TrainSpec | EvalSpec:
        """The spec of a train or an eval; must not be called for other kinds."""
        assert isinstance(self.spec, TrainSpec | EvalSpec)
        return self.spec


class ReportedEvent(PeerMessage):
    """An event of an attempt, one line of `events.jsonl`; `seq` counts from 1 in each attempt.

    The bodies are in `service.contract.events`; that of `ended`, the last event of a run, is an
    `AttemptResult`.
    """

    seq: Step
    kind: Annotated[EventKind, Extensible]
    at: Moment
    body: Annotated[dict[str, Any], JsonCutTo(EVENT_BYTES)] = Field(default_factory=dict)


def _no_beat(_: Any, problem: str) -> None:
    log_once("unreadable_beat", problem)


Events = Annotated[
    tuple[ReportedEvent, ...], ReplaceUnreadable(unreadable_event), CutTo(MOST_EVENTS)
]
"""The events of an attempt in order; of too many the first, since all come again that are not
acknowledged."""


class Purge(PeerMessage):
    """A checkpoint whose folder the agent has to remove; `path` is relative to the volume."""

    checkpoint_id: IdText
    path: PathText


class Beat(PeerMessage):
    """One attempt's part of a heartbeat: its events after the last acknowledged one, in order.

    The first beat of an attempt confirms that the claim arrived. `purged` has the ids of
    checkpoints whose folders the agent has removed.
    """

    job_id: Id
    attempt: Number
    token: ShortText
    events: Events = ()
    purged: Annotated[tuple[IdText, ...], CutTo(_MOST_CHECKPOINTS)] = ()


class Heartbeat(PeerMessage):
    """`POST /agent/heartbeats`: one heartbeat of an agent for all its attempts.

    A beat that cannot be read is left out: the others are answered. `sample` is the newest one of
    the host's use, if there is one since the heartbeat before.
    """

    worker_id: Id
    beats: Annotated[tuple[Beat, ...], ReplaceUnreadable(_no_beat), CutTo(MOST_SLOTS)] = ()
    # Left out where there is none: an older control plane takes no field that it does not know.
    sample: Annotated[SentSample, Field(exclude_if=lambda sample: sample is None)] = None


class BeatReply(PeerMessage):
    """The reply for one attempt: what it has to do, and the last event that was recorded.

    With `lease_lost` the agent kills the attempt's processes and reports nothing more. It removes
    the checkpoints in `purge` once the attempt's newest one verifies; each is sent again until
    `purged` confirms it. A directive that this version does not know is read as `continue`.
    """

    job_id: IdText
    attempt: int
    directive: Annotated[Directive, BeforeValidator(_known_directive)] = "continue"
    lease_lost: bool = False
    acked_seq: int = 0
    purge: Annotated[tuple[Purge, ...], CutTo(_MOST_CHECKPOINTS)] = ()


class HeartbeatReply(PeerMessage):
    """One reply for each beat; with `drain` the worker claims no new jobs."""

    replies: Annotated[tuple[BeatReply, ...], CutTo(MOST_SLOTS)] = ()
    drain: bool = False


class AttemptResult(PeerMessage):
    """How an attempt ended; `result` becomes the `result` of the job.

    `time_spent` is that of the whole attempt, where its run has ended by itself. All this is the
    body of the `ended` event of a run, and a part of the agent's report.
    """

    outcome: AttemptOutcome
    reason: Annotated[Reason, Extensible]
    message: Message = ""
    result: Result | None = None
    # Left out where it is not known: an older control plane takes no field that it does not know.
    time_spent: Annotated[TimeSpent | None, Field(exclude_if=lambda spent: spent is None)] = None

    @model_validator(mode="after")
    def _reason_fits(self) -> Self:
        fitting = REASONS[self.outcome]
        # An unknown reason of a newer worker is accepted; `service.domain.retry` has a rule for it.
        if self.reason in list(Reason) and self.reason not in fitting:
            raise ValueError(
                f"an attempt that has {self.outcome} may have the reason {', '.join(fitting)}"
            )
        return self


class Report(AttemptResult):
    """`POST /agent/reports`: the end of an attempt, with its last events.

    Only the first end of an attempt counts. The reply is a `BeatReply`: 200 for the first report
    and its repetitions, 409 `lease_lost` for a different end.
    """

    job_id: Id
    attempt: Number
    token: ShortText
    events: Annotated[Events, BeforeValidator(first_events)] = ()
