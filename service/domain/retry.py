"""What follows when an attempt ended without success: a table from the reason."""

from dataclasses import dataclass
from enum import StrEnum

from service.contract.jobs import Reason

LOSSES_BEFORE_POISON = 3
LONGEST_BACKOFF_SECONDS = 600.0


class Fault(StrEnum):
    """Whose fault an end is: it decides which budget pays."""

    MACHINE = "machine"
    VOLUME = "volume"
    JOB = "job"
    HOPELESS = "hopeless"
    NOBODY = "nobody"


FAULTS: dict[Reason, Fault] = {
    Reason.WORKER_LOST: Fault.MACHINE,
    Reason.DISK_FULL: Fault.VOLUME,
    Reason.WORKER_UNFIT: Fault.MACHINE,
    Reason.PREEMPTED: Fault.NOBODY,
    Reason.RELEASED: Fault.NOBODY,
    Reason.NOT_STARTED: Fault.NOBODY,
    Reason.CRASHED: Fault.JOB,
    Reason.NON_FINITE_LOSS: Fault.JOB,
    Reason.STALLED: Fault.JOB,
    Reason.INVALID_DATA: Fault.HOPELESS,
    Reason.OUT_OF_MEMORY: Fault.HOPELESS,
    Reason.INCOMPATIBLE_CHECKPOINT: Fault.HOPELESS,
}
_LASTING = (Reason.WORKER_UNFIT,)
"""A machine's fault that is still there a moment later: the unfit worker is the first that is free
again."""
_VOLUME_BACKOFFS = 12
"""How many times the first backoff a full volume is given: people must make room."""
MACHINE_FAULTS = tuple(reason for reason, fault in FAULTS.items() if fault is Fault.MACHINE)


@dataclass(frozen=True)
class RetryCounters:
    """What a job has spent since its last new checkpoint; `max_failures` is its own limit."""

    failures: int
    losses: int
    max_failures: int


@dataclass(frozen=True)
class RetryDecision:
    """Retry after a wait, or end as failed with this reason; the budgets afterwards."""

    retry: bool
    reason: Reason
    failures: int
    losses: int
    wait_seconds: float = 0.0
    note: str = ""


def decide(
    reason: Reason, spent: RetryCounters, *, backoff_seconds: float, jitter: float
) -> RetryDecision:
    """What follows an end by `reason`; `jitter` in 0 to 1 is drawn by the caller.

    A machine's fault is retried at once, three times in a row at most without a new checkpoint;
    one that lasts is waited for. A volume that is full is full for all: it is waited for as long
    as that lasts. The job's own fault costs one of `max_failures`, with a wait that doubles; a
    fault that cannot heal ends the job.
    """
    fault = FAULTS[reason]
    failures, losses = spent.failures, spent.losses
    if fault is Fault.NOBODY:
        return RetryDecision(True, reason, failures, losses)
    if fault is Fault.VOLUME:
        wait = _wait_seconds(1, _VOLUME_BACKOFFS * backoff_seconds, jitter)
        return RetryDecision(True, reason, failures, losses, wait_seconds=wait)
    if fault is Fault.MACHINE:
        losses += 1
        if losses < LOSSES_BEFORE_POISON:
            wait = _wait_seconds(losses, backoff_seconds, jitter) if reason in _LASTING else 0.0
            return RetryDecision(True, reason, failures, losses, wait_seconds=wait)
        note = f"lost {losses} times in a row without a new checkpoint"
        return RetryDecision(False, Reason.POISON, failures, losses, note=note)
    if fault is Fault.HOPELESS:
        return RetryDecision(False, reason, failures, losses)
    failures += 1
    if failures > spent.max_failures:
        note = f"failed {failures} times, and max_failures is {spent.max_failures}"
        return RetryDecision(False, reason, failures, losses, note=note)
    wait = _wait_seconds(failures, backoff_seconds, jitter)
    return RetryDecision(True, reason, failures, losses, wait_seconds=wait)


def _wait_seconds(times: int, backoff_seconds: float, jitter: float) -> float:
    wait = min(backoff_seconds * 2.0 ** (times - 1), LONGEST_BACKOFF_SECONDS)
    return wait * (0.5 + jitter / 2)
