"""What an attempt's end is reported as."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.contract.agent import Claim, Lease, Outcome, Report, ReportedEvent
from service.contract.jobs import Reason
from workers.launcher.process_exit import Exit

_TAIL_BYTES = 4096
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Ending:
    """How an attempt ended."""

    outcome: Outcome
    reason: Reason
    message: str
    result: dict[str, Any] | None = None

    def report(self, claim: Claim, events: tuple[ReportedEvent, ...] = ()) -> Report:
        """The ending as the control plane hears it."""
        return Report(
            job_id=claim.job_id,
            attempt=claim.attempt,
            token=claim.token,
            outcome=self.outcome,
            reason=self.reason,
            message=self.message,
            result=self.result,
            events=events,
        )


def released(message: str) -> Ending:
    """Given back: nobody's fault."""
    return Ending("released", Reason.RELEASED, message)


def stalled(lease: Lease) -> Ending:
    """The watchdog ended it."""
    said = f"no step, event or save for {lease.stall_seconds:g} s"
    return Ending("failed", Reason.STALLED, f"{said}; the log has the stacks of all ranks")


def by_error(error: OSError) -> Ending:
    """The attempt's folder could not be used."""
    if error.errno in _NO_SPACE:
        return Ending("failed", Reason.DISK_FULL, f"the volume is full: {error}")
    said = f"this worker cannot use its volume: {error}; check that it is mounted and writable"
    return Ending("failed", Reason.CRASHED, said)


def by_word(word: ReportedEvent, claim: Claim) -> Ending | None:
    """The trainer's last word; None if it is no ending."""
    whose = claim.model_dump(include={"job_id", "attempt", "token"})
    try:
        report = Report.model_validate(word.body | whose)
    except ValidationError:
        return None
    return Ending(report.outcome, report.reason, report.message, report.result)


def by_exit(exit_: Exit, log_path: Path, volume: Path) -> Ending:
    """The ranks ended without a last word."""
    line = _last_line(log_path)
    said = exit_.describe + (f"; the log ends with: {line}" if line else "")
    full = os.strerror(errno.ENOSPC) in line or os.statvfs(volume).f_bavail == 0
    return Ending("failed", Reason.DISK_FULL if full else Reason.CRASHED, said)


def _last_line(log_path: Path) -> str:
    if not log_path.exists():
        return ""
    with log_path.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = log.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
