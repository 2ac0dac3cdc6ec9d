"""What follows when an attempt ended without success: a table from the reason."""

from dataclasses import dataclass
from enum import StrEnum

from service.contract.counts import count_text
from service.contract.jobs import Reason

WORKER_LOSSES_BEFORE_POISON = 3
LONGEST_BACKOFF_SECONDS = 600.0


class Fault(StrEnum):
    """Whose fault the end of an attempt is: it decides which counter goes up."""

    MACHINE = "machine"
    VOLUME = "volume"
    JOB = "job"
    PERMANENT = "permanent"
    NOBODY = "nobody"


FAULTS: dict[Reason, Fault] = {
    Reason.WORKER_LOST: Fault.MACHINE,
    Reason.DISK_FULL: Fault.VOLUME,
    Reason.WORKER_UNFIT: Fault.MACHINE,
    Reason.PREEMPTED: Fault.NOBODY,
    Reason.RELEASED: Fault.NOBODY,
    Reason.NOT_STARTED: Fault.NOBODY,
    Reason.CRASHED: Fault.JOB,
    Reason.STALLED: Fault.JOB,
    Reason.INVALID_DATA: Fault.PERMANENT,
    # The seed makes the next attempt the same.
    Reason.NON_FINITE_LOSS: Fault.PERMANENT,
    Reason.OUT_OF_MEMORY: Fault.PERMANENT,
    Reason.INCOMPATIBLE_CHECKPOINT: Fault.PERMANENT,
}
_LASTING_FAULTS = (Reason.WORKER_UNFIT,)
"""Machine faults that are still there a moment later: the unfit worker is the first to be free."""
_VOLUME_BACKOFFS = 12
"""A full volume waits so many first backoffs: people must make room."""
MACHINE_FAULTS = tuple(reason for reason, fault in FAULTS.items() if fault is Fault.MACHINE)


NEW_BEGIN = {"failures": 0, "worker_losses": 0}
"""The counters of a job that has saved something new: they count from there."""


@dataclass(frozen=True)
class RetryCounters:
    """What went wrong since a job's last new checkpoint; `max_failures` is the job's own limit."""

    failures: int
    worker_losses: int
    max_failures: int


@dataclass(frozen=True)
class RetryDecision:
    """Retry after a wait, or end as failed with this reason; the counters afterwards."""

    retry: bool
    reason: Reason
    failures: int
    worker_losses: int
    wait_seconds: float = 0.0
    note: str = ""


def decide(
    reason: Reason, counters: RetryCounters, *, backoff_seconds: float, jitter: float
) -> RetryDecision:
    """What follows an end by `reason`; `jitter` in 0 to 1 is drawn by the caller.

    A machine's fault is retried at once, three times in a row at most without a new checkpoint;
    one that lasts is waited for. A volume that is full is full for all: it is waited for as long
    as that lasts. The job's own fault costs one of `max_failures`, with a wait that doubles; a
    fault that cannot heal ends the job.
    """
    # A reason that only a newer worker knows: its limit and its backoff bound what it may cost.
    fault = FAULTS.get(reason, Fault.JOB)
    failures, worker_losses = counters.failures, counters.worker_losses
    if fault is Fault.NOBODY:
        return RetryDecision(True, reason, failures, worker_losses)
    if fault is Fault.VOLUME:
        wait = _wait_seconds(1, _VOLUME_BACKOFFS * backoff_seconds, jitter)
        return RetryDecision(True, reason, failures, worker_losses, wait_seconds=wait)
    if fault is Fault.MACHINE:
        worker_losses += 1
        if worker_losses < WORKER_LOSSES_BEFORE_POISON:
            wait = (
                _wait_seconds(worker_losses, backoff_seconds, jitter)
                if reason in _LASTING_FAULTS
                else 0.0
            )
            return RetryDecision(True, reason, failures, worker_losses, wait_seconds=wait)
        note = f"lost {worker_losses} times in a row without a new checkpoint"
        return RetryDecision(False, Reason.POISON, failures, worker_losses, note=note)
    if fault is Fault.PERMANENT:
        return RetryDecision(False, reason, failures, worker_losses)
    failures += 1
    if failures > counters.max_failures:
        note = f"failed {count_text(failures, 'time')}, and max_failures is {counters.max_failures}"
        return RetryDecision(False, reason, failures, worker_losses, note=note)
    wait = _wait_seconds(failures, backoff_seconds, jitter)
    return RetryDecision(True, reason, failures, worker_losses, wait_seconds=wait)


def _wait_seconds(times: int, backoff_seconds: float, jitter: float) -> float:
    wait = min(backoff_seconds * 2.0 ** (times - 1), LONGEST_BACKOFF_SECONDS)
    return wait * (0.5 + jitter / 2)
