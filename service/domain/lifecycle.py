"""The two tables of legal moves; any other move raises IllegalMove."""

from enum import StrEnum

from service.contract.jobs import AttemptState, JobState


class JobEvent(StrEnum):
    """What can happen to a job."""

    CLAIMED = "claimed"
    REQUEUED = "requeued"
    CANCEL_REQUESTED = "cancel_requested"
    PAUSE_REQUESTED = "pause_requested"
    PAUSED = "paused"
    RESUMED = "resumed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNREADABLE = "unreadable"
    PART_FAILED = "part_failed"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    RENEWED = "renewed"
    SILENT = "silent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    RELEASED = "released"
    CANCELLED = "cancelled"


class IllegalMove(Exception):
    """A move that the tables do not have: a bug, never a user's fault."""


_J, _JE = JobState, JobEvent
JOB_MOVES: dict[tuple[JobState, JobEvent], JobState] = {
    (_J.QUEUED, _JE.CLAIMED): _J.RUNNING,
    (_J.QUEUED, _JE.CANCEL_REQUESTED): _J.CANCELLED,
    (_J.QUEUED, _JE.UNREADABLE): _J.FAILED,
    # A search waits in the queue for the jobs that measure for it.
    (_J.QUEUED, _JE.PART_FAILED): _J.FAILED,
    (_J.RUNNING, _JE.REQUEUED): _J.QUEUED,
    (_J.RUNNING, _JE.CANCEL_REQUESTED): _J.CANCELLING,
    (_J.RUNNING, _JE.SUCCEEDED): _J.SUCCEEDED,
    (_J.RUNNING, _JE.FAILED): _J.FAILED,
    (_J.QUEUED, _JE.PAUSE_REQUESTED): _J.PAUSED,
    (_J.RUNNING, _JE.PAUSE_REQUESTED): _J.PAUSING,
    (_J.PAUSING, _JE.PAUSED): _J.PAUSED,
    # If the worker has stopped already, it releases the job, and another attempt goes on.
    (_J.PAUSING, _JE.RESUMED): _J.RUNNING,
    (_J.PAUSING, _JE.CANCEL_REQUESTED): _J.CANCELLING,
    # As with a cancel: an attempt that ends before its worker reads of the pause has ended.
    (_J.PAUSING, _JE.SUCCEEDED): _J.SUCCEEDED,
    (_J.PAUSING, _JE.FAILED): _J.FAILED,
    (_J.PAUSED, _JE.RESUMED): _J.QUEUED,
    (_J.PAUSED, _JE.CANCEL_REQUESTED): _J.CANCELLED,
    # A run that succeeds before its worker reads of the cancel has succeeded: the result is there.
    (_J.CANCELLING, _JE.SUCCEEDED): _J.SUCCEEDED,
    (_J.CANCELLING, _JE.CANCELLED): _J.CANCELLED,
}

_A, _AE = AttemptState, AttemptEvent
_ENDS = {
    _AE.SUCCEEDED: _A.SUCCEEDED,
    _AE.FAILED: _A.FAILED,
    _AE.LOST: _A.LOST,
    _AE.RELEASED: _A.RELEASED,
    _AE.CANCELLED: _A.CANCELLED,
}
ATTEMPT_MOVES: dict[tuple[AttemptState, AttemptEvent], AttemptState] = {
    (_A.CLAIMED, _AE.RENEWED): _A.RUNNING,
    (_A.RUNNING, _AE.RENEWED): _A.RUNNING,
    (_A.RUNNING, _AE.SILENT): _A.UNREACHABLE,
    (_A.UNREACHABLE, _AE.RENEWED): _A.RUNNING,
    **{
        (live, event): end
        for live in (_A.CLAIMED, _A.RUNNING, _A.UNREACHABLE)
        for event, end in _ENDS.items()
    },
}


def is_legal(state: JobState, event: JobEvent) -> bool:
    """Whether the table has a move of a job in `state` by `event`."""
    return (state, event) in JOB_MOVES


def move_job(state: JobState, event: JobEvent) -> JobState:
    """The state after `event`; raises IllegalMove.

    A state of another version moves as a running job does: no other can have an attempt.
    """
    known = state if state in list(JobState) else JobState.RUNNING
    try:
        return JOB_MOVES[known, event]
    except KeyError:
        raise IllegalMove(f"a {state} job cannot be {event}") from None


def move_attempt(state: AttemptState, event: AttemptEvent) -> AttemptState:
    """The state after `event`; raises IllegalMove."""
    try:
        return ATTEMPT_MOVES[state, event]
    except KeyError:
        raise IllegalMove(f"a {state} attempt cannot be {event}") from None
