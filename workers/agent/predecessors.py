"""Reports dead workers of this machine, so that no job waits for their leases to expire."""

import time
from collections.abc import Sequence

import structlog

from service.contract.registration import Gone, Predecessor
from workers.agent.client import ControlPlane
from workers.agent.control_plane_errors import ControlPlaneError
from workers.agent.identity import has_ended
from workers.launcher.local.launcher import WORKER_ID
from workers.process_marks import remaining_processes

_LOOK_AGAIN_SECONDS = 0.1
_log = structlog.get_logger()


def report_ended_predecessors(
    predecessors: Sequence[Predecessor], control_plane: ControlPlane, timeout_seconds: float = 10.0
) -> None:
    """Report as gone each predecessor that has surely ended, with every process it had.

    One that has processes left after `timeout_seconds` is left to its lease.
    """
    for predecessor in predecessors:
        if not has_ended(predecessor.process):
            continue
        if not _all_ended(predecessor.worker_id, timeout_seconds):
            _log.warning("predecessor_left_processes", worker_id=predecessor.worker_id)
            continue
        message = f"process {predecessor.process.pid} has ended, as a worker beside it has seen"
        try:
            control_plane.report_gone(predecessor.worker_id, Gone(message=message))
        except ControlPlaneError as error:
            _log.warning("gone_not_sent", worker_id=predecessor.worker_id, error=str(error))
        else:
            _log.info("predecessor_gone", worker_id=predecessor.worker_id)


def _all_ended(worker_id: str, timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while remaining_processes(WORKER_ID, worker_id):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True
