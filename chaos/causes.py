"""Why attempts ended, and whether something that was done to them explains it."""

from collections.abc import Collection, Iterator, Sequence

from chaos.history import Fault
from chaos.journal import Journal
from service.contract.jobs import Attempt, AttemptState, Event, Job, Reason
from service.domain.retry import MACHINE_FAULTS, WORKER_LOSSES_BEFORE_POISON

_SILENCE = ("kill a worker", "drain a worker", "stop an agent", "stop a tree", "cut the network")
_SERVER = ("kill the server", "restart the server")
_CAUSES: dict[Reason, Collection[str]] = {
    Reason.WORKER_LOST: (*_SILENCE, "jump the clock"),
    Reason.RELEASED: (*_SILENCE, *_SERVER),
    Reason.DISK_FULL: ("fill the disk",),
    Reason.CRASHED: ("kill a rank", "fill the disk"),
    Reason.PAUSED: ("pause a job",),
    Reason.CANCELLED: ("cancel a job",),
}
_NEED_NONE = (Reason.FINISHED, Reason.NOT_STARTED)
"""Any reply that was lost can keep an attempt from its start."""


def unexplained_ends(
    attempts: Sequence[Attempt], journal: Journal, faults: Sequence[Fault]
) -> Iterator[str]:
    """One sentence for each attempt that ended as nothing makes one end that was done to it."""
    for attempt in attempts:
        reason, span = attempt.reason, journal.span(attempt.job_id, attempt.number)
        if reason is None or reason in _NEED_NONE or span is None:
            continue
        causes = [
            fault
            for fault in faults
            if fault.what in _CAUSES.get(reason, ())
            and fault.worker_id in (None, attempt.worker_id)
            and fault.began <= span.ended
            and fault.over >= span.claimed
        ]
        if not causes:
            yield f"attempt {attempt.number} ended as {reason}, and nobody did that to it"


def unjustified_poison(
    job: Job, attempts: Sequence[Attempt], events: Sequence[Event]
) -> Iterator[str]:
    """A sentence if the job is poison, and was not lost three times without a checkpoint."""
    if job.reason is not Reason.POISON:
        return
    newest = max((e.attempt or 0 for e in events if e.kind == "checkpoint"), default=0)
    # A loss comes after the checkpoints of its own attempt.
    since = [each for each in attempts if each.number >= newest]
    lost = [each.number for each in since if each.reason in MACHINE_FAULTS]
    if len(lost) != WORKER_LOSSES_BEFORE_POISON or lost[-1] != job.attempt:
        yield f"is poison, and its losses since its newest checkpoint are {lost}"
    states = {each.state for each in since if each.number in lost}
    if not states <= {AttemptState.LOST, AttemptState.FAILED}:
        yield f"is poison by attempts that ended as {sorted(states)}"
