"""What the ranks of an attempt are started with, and what they leave in its folder."""

import structlog

from service.contract.agent import Claim
from service.contract.checkpoints import attempt_path
from workers.agent.worker_paths import WorkerPaths
from workers.attempt_dir import Assignment, AttemptDir
from workers.checkpoints.folder import sweep_stale
from workers.launcher.base import Launch


class AttemptLaunch:
    """The request for a launcher, once the folder of the attempt has what the ranks read."""

    def __init__(self, claim: Claim, paths: WorkerPaths, folder: AttemptDir) -> None:
        self._claim, self._paths, self._folder = claim, paths, folder

    def prepare(self) -> Launch:
        """Remove what earlier attempts left half written, and write the assignment.

        Raises OSError, WrongVolume.
        """
        claim, paths, folder = self._claim, self._paths, self._folder
        paths.shared_volume.require()
        for number in range(1, claim.attempt):
            sweep_stale(paths.volume / attempt_path(claim.job_id, number))
        folder.put(
            Assignment(
                claim=claim,
                volume=paths.volume,
                volume_id=paths.volume_id,
                data_root=paths.data_root,
                import_root=paths.import_root,
            )
        )
        needed = claim.spec.resources
        return Launch(
            claim.job_id,
            folder.spec_path,
            folder.log_path,
            gpus=needed.gpu_count,
            ranks=needed.ranks,
            hosts=needed.hosts,
        )

    def sweep(self, log: structlog.stdlib.BoundLogger) -> None:
        """Remove what the ranks left half written; an error is logged, and the end is what it is.

        What stays is removed by the next attempt.
        """
        try:
            sweep_stale(self._folder.folder)
        except OSError as error:
            log.warning("sweep_failed", error=str(error))
