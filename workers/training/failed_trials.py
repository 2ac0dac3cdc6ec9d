"""Trials of `torch.compile` that have failed on this worker: the next run does not try again."""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from workers.training.calibration import Workload, file_of
from workers.training.execution import Execution

KEPT = timedelta(days=1)
"""What was in the way may be gone by then, as a compiler that was broken."""
_LONGER = 2.0
"""So many times the limit that was too short is worth another trial."""
_ENDING = "failed"


class FailedTrial(BaseModel):
    """A trial that another one of the same would end as, with its problem as a clause.

    `execution` is the eager one that was to be compiled, as JSON. `limit_seconds` is of a trial
    that took longer.
    """

    model_config = ConfigDict(frozen=True)

    execution: dict[str, Any]
    problem: str
    limit_seconds: float | None = None
    at: datetime


def failed_trial(
    workload: Workload,
    device: torch.device,
    execution: Execution,
    limit_seconds: float,
    now: datetime,
) -> FailedTrial | None:
    """The trial of the same on this worker's disk, if it still holds; None if there is none."""
    path = file_of(workload, device, _ENDING)
    try:
        failed = None if path is None else FailedTrial.model_validate_json(path.read_text())
    except (OSError, ValueError, ValidationError):
        return None
    if failed is None or failed.execution != execution.as_json():
        return None
    was_short = failed.limit_seconds is not None and limit_seconds > _LONGER * failed.limit_seconds
    is_present = timedelta(0) <= now - failed.at < KEPT
    return failed if is_present and not was_short else None


def keep_failed_trial(workload: Workload, device: torch.device, failed: FailedTrial) -> None:
    """Keep it on the worker's disk; a disk that refuses costs the next run a trial."""
    path = file_of(workload, device, _ENDING)
    if path is None:
        return
    staged = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        staged.write_text(failed.model_dump_json())
        staged.replace(path)
