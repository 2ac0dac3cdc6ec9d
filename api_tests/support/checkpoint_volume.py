"""A control plane over a real database and a real volume, with the checkpoints of `job_1`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api_tests.support.checkpoint_folders import attempt_folder, save
from api_tests.support.specs import submission
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import JobState
from service.control.checkpoints import index
from service.control.checkpoints.gc import Collector
from service.control.checkpoints.reindex import ReindexResult, reindex
from service.control.jobs.submission import submit
from service.store import jobs as store
from service.store.engine import Database
from service.volume.disk import DISK, Disk
from service.volume.identity import SharedVolume

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SPEC: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {"batch_size": 32},
    "retention": {"keep_last": 2, "keep_best": 1},
}


class Volume:
    """Every call of the control plane is one transaction; workers only write folders."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        folder.mkdir(parents=True, exist_ok=True)

    def submit(self, job_id: str = "job_1", **fields: Any) -> None:
        """Queue a training on the digits."""
        spec = submission(SPEC | fields)
        with self.database.write() as tx:
            submit(tx, spec, job_id=job_id, key=None, now=NOW)

    def end(self, job_id: str = "job_1") -> None:
        """The job has succeeded."""
        with self.database.write() as tx:
            store.change(tx, job_id, list(JobState), {"state": JobState.SUCCEEDED})

    def save(self, step: int, error: float | None = None, **fields: Any) -> Path:
        """A checkpoint folder of `job_1` that the index does not know."""
        metrics = {} if error is None else {"top1_error": error}
        digits = {"num_classes": 10, "class_names": [str(digit) for digit in range(10)]}
        attempt = attempt_folder(self.folder, fields.get("attempt", 1))
        assert save(attempt, step, metrics=metrics, **digits, **fields) is None
        return attempt / f"{'final' if fields.get('phase') == 'final' else 'step'}-{step:09d}"

    def reindex(self) -> ReindexResult:
        """Index what is there."""
        return reindex(self.database, self.folder, now=NOW)

    def collector(self, disk: Disk = DISK) -> Collector:
        """As a server has it."""
        return Collector(self.database, SharedVolume(self.folder), NOW, disk)

    def get(self, checkpoint_id: str) -> Checkpoint:
        """As the index has it."""
        with self.database.read() as tx:
            return index.get(tx, checkpoint_id)

    def states(self, job_id: str = "job_1") -> dict[str, str]:
        """Id -> state of what the index knows of a job, oldest first."""
        with self.database.read() as tx:
            return {c.id: c.state for c in reversed(index.of_job(tx, job_id))}

    def names(self) -> list[str]:
        """What lies in the attempts' folders."""
        return sorted(path.name for path in self.folder.glob("jobs/*/attempts/*/*"))


def flip_a_bit(checkpoint: Path) -> None:
    """As a disk does, years later."""
    path = checkpoint / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
