"""The result of an attempt: the run's own, or what its agent makes of how it ended."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from service.contract.agent import AttemptResult, Claim, Lease, Report, ReportedEvent
from service.contract.jobs import Reason
from service.contract.specs import AnySpec
from service.volume.opener import UnsafePath, open_below
from workers.attempt_dir import AttemptDir
from workers.launcher.process_exit import UNUSABLE_GPU, ProcessExit
from workers.memory_advice import memory_advice

_TAIL_BYTES = 4096
_OWN_FAULTS = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ENOENT,
    errno.ENODEV,
    errno.ENOTCONN,
    errno.ESTALE,
)
"""What a mount of this worker answers, and that of another one may not."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def report_of(
    result: AttemptResult, claim: Claim, events: tuple[ReportedEvent, ...] = ()
) -> Report:
    """The result as the report that the control plane takes."""
    return Report(
        job_id=claim.job_id,
        attempt=claim.attempt,
        token=claim.token,
        events=events,
        outcome=result.outcome,
        reason=result.reason,
        message=result.message,
        result=result.result,
        time_spent=result.time_spent,
    )


def released(message: str) -> AttemptResult:
    """The result of an attempt that is given back; it is nobody's fault."""
    return AttemptResult(outcome="released", reason=Reason.RELEASED, message=message)


def stalled(lease: Lease) -> AttemptResult:
    """The result of an attempt that the watchdog ended."""
    message = f"no step, event or save for {lease.stall_seconds:g} s"
    return AttemptResult(
        outcome="failed",
        reason=Reason.STALLED,
        message=f"{message}; the log has the stacks of all ranks",
    )


def from_volume_error(error: OSError) -> AttemptResult:
    """The result of an attempt whose folder could not be used."""
    if error.errno in _NO_SPACE:
        return AttemptResult(
            outcome="failed", reason=Reason.DISK_FULL, message=f"the volume is full: {error}"
        )
    message = f"this worker cannot use its volume: {error}; check that it is mounted and writable"
    is_its_own = error.errno in _OWN_FAULTS
    reason = Reason.WORKER_UNFIT if is_its_own else Reason.CRASHED
    return AttemptResult(outcome="failed", reason=reason, message=message)


def from_agent_error(error: Exception) -> AttemptResult:
    """The result of an attempt whose ranks were ended after an error of the agent or launcher."""
    # The first line alone: what follows may quote values, as pydantic's messages do.
    first = str(error).split("\n")[0]
    message = f"its agent failed: {type(error).__name__}: {first}; the worker's log has the stack"
    return AttemptResult(outcome="failed", reason=Reason.CRASHED, message=message)


def lost(exit_: ProcessExit) -> AttemptResult:
    """The result of an attempt that lost one of its hosts; it is not its job's fault."""
    return AttemptResult(outcome="failed", reason=Reason.WORKER_LOST, message=exit_.describe)


def from_event(ended: ReportedEvent) -> AttemptResult | None:
    """The result in the run's `ended` event; None if it cannot be read."""
    try:
        return AttemptResult.model_validate(ended.body)
    except ValidationError:
        return None


def with_silence(result: AttemptResult, exit_: ProcessExit) -> AttemptResult:
    """The result, with a sentence that names the ranks that were silent, if any were."""
    if not exit_.silent:
        return result
    message = f"{result.message}; {exit_.silence}" if result.message else exit_.silence
    return result.model_copy(update={"message": message})


def from_exit(exit_: ProcessExit, spec: AnySpec, folder: AttemptDir, volume: Path) -> AttemptResult:
    """The result of an attempt whose ranks ended without an `ended` event.

    It is the failure of the rank that ended first, if that has left one.
    """
    if exit_.out_of_memory:
        return AttemptResult(
            outcome="failed",
            reason=Reason.OUT_OF_MEMORY,
            message=f"{exit_.describe}; {memory_advice(spec)}",
        )
    reported = _failure_of_first_end(exit_, folder)
    if reported is not None:
        return reported
    line = _last_line(folder.log_path)
    message = exit_.describe + (f"; the log ends with: {line}" if line else "")
    full = os.strerror(errno.ENOSPC) in line or os.statvfs(volume).f_bavail == 0
    reason = Reason.STALLED if exit_.silent else Reason.CRASHED
    return AttemptResult(
        outcome="failed", reason=Reason.DISK_FULL if full else reason, message=message
    )


def _failure_of_first_end(exit_: ProcessExit, folder: AttemptDir) -> AttemptResult | None:
    failure = folder.failure_of(exit_.ranks[0].rank) if exit_.ranks else None
    try:
        return AttemptResult.model_validate_json(failure) if failure is not None else None
    except ValidationError:
        return None


def gpu_problem(log_path: Path) -> str:
    """Why torch cannot use a GPU, as the rank that has it wrote it in the log."""
    # Another rank may have written after that one.
    return _last_line(log_path, UNUSABLE_GPU) or UNUSABLE_GPU


def from_unusable_gpus(gpus: Sequence[int], problem: str) -> AttemptResult:
    """The result of an attempt whose ranks could not use these GPUs of the worker."""
    indices = " and ".join(str(index) for index in sorted(gpus))
    where = f" (GPU {indices} of this worker)" if gpus else ""
    return AttemptResult(outcome="failed", reason=Reason.WORKER_UNFIT, message=f"{problem}{where}")


def _last_line(log_path: Path, start: str = "") -> str:
    try:
        with open_below(log_path.parent, log_path.name) as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").split("\n")
    except (FileNotFoundError, UnsafePath):
        return ""
    stripped = (line.strip() for line in reversed(lines))
    return next((line for line in stripped if line and line.startswith(start)), "")
