"""How an attempt ended, and which end an error means."""

import errno
import json
from dataclasses import asdict, dataclass
from typing import Any

import torch

from service.contract.agent import Outcome as Ending
from service.contract.jobs import Reason
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.data.errors import InvalidData, NoDataRoot
from workers.exchange.errors import ImportRefused


class NonFiniteLoss(Exception):
    """The loss is no number any more; the message names the step."""


class Stopped(Exception):
    """The run was asked to stop, and has; the message says what was saved."""


_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (InvalidData, Reason.INVALID_DATA),
    (NoDataRoot, Reason.WORKER_UNFIT),
    (IncompatibleCheckpoint, Reason.INCOMPATIBLE_CHECKPOINT),
    (DamagedCheckpoint, Reason.INCOMPATIBLE_CHECKPOINT),
    (NonFiniteLoss, Reason.NON_FINITE_LOSS),
    (torch.OutOfMemoryError, Reason.OUT_OF_MEMORY),
    (MemoryError, Reason.OUT_OF_MEMORY),
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SILENT = "Timed out waiting"
"""How gloo says that another rank did not answer within the process group's timeout."""


@dataclass(frozen=True)
class Outcome:
    """The body of an `ended` event."""

    outcome: Ending
    reason: Reason
    message: str = ""
    result: dict[str, Any] | None = None

    def as_body(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    def as_text(self) -> str:
        """For another rank to tell."""
        return json.dumps(self.as_body())

    @classmethod
    def from_text(cls, text: str) -> "Outcome":
        """What `as_text` gave."""
        body = json.loads(text)
        return cls(**(body | {"reason": Reason(body["reason"])}))


def outcome_of(error: Exception) -> Outcome:
    """The end that an error is; what nobody foresaw is `crashed`."""
    lines = str(error).splitlines() or [type(error).__name__]
    if isinstance(error, Stopped):
        return Outcome("released", Reason.RELEASED, lines[0])
    if isinstance(error, OSError) and error.errno in _FULL:
        return Outcome("failed", Reason.DISK_FULL, f"{lines[0]}: free some space on the volume")
    if isinstance(error, RuntimeError) and _SILENT in lines[0]:
        waited = lines[0][lines[0].index(_SILENT) :]
        return Outcome("failed", Reason.STALLED, f"another rank did not answer: {waited}")
    reason = next((r for kind, r in _REASONS if isinstance(error, kind)), Reason.CRASHED)
    told = {"code": error.code} if isinstance(error, ImportRefused) else None
    return Outcome("failed", reason, lines[0], told)
