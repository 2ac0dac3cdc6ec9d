"""Which result of an attempt an error means."""

import errno

from service.contract.agent import AttemptResult, Claim
from service.contract.jobs import Reason
from service.volume.identity import WrongVolume
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.snapshot import AbsentCheckpoint
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.data.errors import InvalidData, NoDataRoot
from workers.memory_advice import memory_advice
from workers.recipes.table import NoSuchRecipe
from workers.training.fitting_batch import BatchTooLarge
from workers.training.memory_errors import memory_problem
from workers.training.non_finite import NonFiniteLoss


class Stopped(Exception):
    """The run was asked to stop, and has; the message says what was saved."""


_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (InvalidData, Reason.INVALID_DATA),
    (NoDataRoot, Reason.WORKER_UNFIT),
    (NoSuchRecipe, Reason.WORKER_UNFIT),
    (WrongVolume, Reason.WORKER_UNFIT),
    (AbsentCheckpoint, Reason.WORKER_UNFIT),
    (IncompatibleCheckpoint, Reason.INCOMPATIBLE_CHECKPOINT),
    (DamagedCheckpoint, Reason.INCOMPATIBLE_CHECKPOINT),
    (NonFiniteLoss, Reason.NON_FINITE_LOSS),
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SILENT = "Timed out waiting"
"""How gloo says that another rank did not answer within the process group's timeout."""


def is_disk_full(error: Exception) -> bool:
    """Whether a write failed for want of space on the volume."""
    return isinstance(error, OSError) and error.errno in _FULL


def result_of(error: Exception, claim: Claim, *, oom_killed: bool = False) -> AttemptResult:
    """The end that an error is; what nobody foresaw is `crashed`.

    `oom_killed` is whether the kernel has killed a process of this group since the run began.
    """
    lines = str(error).splitlines() or [type(error).__name__]
    if isinstance(error, Stopped):
        return AttemptResult(outcome="released", reason=Reason.RELEASED, message=lines[0])
    if is_disk_full(error):
        return AttemptResult(
            outcome="failed",
            reason=Reason.DISK_FULL,
            message=f"{lines[0]}: free some space on the volume",
        )
    if isinstance(error, RuntimeError) and _SILENT in lines[0]:
        waited = lines[0][lines[0].index(_SILENT) :]
        return AttemptResult(
            outcome="failed",
            reason=Reason.STALLED,
            message=f"another rank did not answer: {waited}",
        )
    memory = memory_problem(error, oom_killed=oom_killed)
    if memory is not None:
        fitting = error.fitting if isinstance(error, BatchTooLarge) else None
        return AttemptResult(
            outcome="failed",
            reason=Reason.OUT_OF_MEMORY,
            message=f"{memory}; {memory_advice(claim.spec, fitting)}",
        )
    reason = next((r for kind, r in _REASONS if isinstance(error, kind)), Reason.CRASHED)
    code = error.code if isinstance(error, IncompatibleCheckpoint) else None
    result = {"code": code} if code is not None else None
    return AttemptResult(outcome="failed", reason=reason, message=lines[0], result=result)
