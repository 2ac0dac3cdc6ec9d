"""The launcher of a worker that stands for a Slurm allocation."""

import math
import os

import structlog

from service.contract.kernel import boot_clock
from service.contract.loop import Loop
from workers.launcher.base import Availability, CannotLaunch, LauncherOptions
from workers.launcher.slurm.allocation import own_allocation, seconds_left
from workers.launcher.slurm.commands import SlurmFailed
from workers.launcher.slurm.engine import SlurmEngine
from workers.launcher.wide.launcher import HostLauncher

_LOOK_SECONDS = 15.0
_RELEASE_SECONDS = 120.0
"""How long before the end of the allocation the running attempts are asked to save and end."""
_log = structlog.get_logger()


class SlurmLauncher(HostLauncher):
    """Gives the nodes of the allocation to attempts, as long as its time limit has room for them.

    Raises CannotLaunch outside an allocation.
    """

    def __init__(self, options: LauncherOptions) -> None:
        if options.slots > 1:
            raise CannotLaunch("slots: leave it out: with the launcher slurm each node is a slot")
        allocation = own_allocation(os.environ)
        engine = SlurmEngine(allocation.job_id)
        super().__init__(options, engine, allocation.hosts, allocation.host_gpus)
        self._job_id, self._ends_at = allocation.job_id, math.inf
        self._last_claim_seconds = options.last_claim_seconds
        try:
            self._look()
        except SlurmFailed as error:
            raise CannotLaunch(f"launcher: Slurm does not answer: {error}") from error
        if self.availability() is Availability.ENDING:
            # It would end at once, and worker.sh would queue its job again for ever.
            raise CannotLaunch(
                f"launcher: Slurm ends job {self._job_id} in {self._ends_at - boot_clock():.0f} s, "
                f"and trainings save {_RELEASE_SECONDS:.0f} s before: ask for more with --time"
            )
        # The limit may be changed, and Slurm shortens it when it takes the job's nodes away.
        self._looks = Loop(
            "allocation", _LOOK_SECONDS, self._look, log=_log, outages=(SlurmFailed,)
        )
        self._looks.start()

    def availability(self) -> Availability:
        """Whether attempts may be started, and may go on; returns at once."""
        left = self._ends_at - boot_clock()
        if self.drain.is_set() or left <= _RELEASE_SECONDS:
            return Availability.ENDING
        return Availability.CLOSING if left <= self._last_claim_seconds else Availability.OPEN

    def close(self) -> None:
        """Kill the processes of all attempts, and return when none is left."""
        self._looks.stop()
        super().close()

    def _look(self) -> None:
        left = seconds_left(self._job_id)
        self._ends_at = math.inf if left is None else boot_clock() + left
