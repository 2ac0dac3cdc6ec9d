"""What users do with checkpoints."""

from pathlib import Path

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint, FileDigest
from service.domain.errors import Gone, NotFound
from service.store import checkpoints as store
from service.store import jobs
from service.store.checkpoints import CheckpointFilter


def page(tx: Connection, wanted: CheckpointFilter) -> tuple[list[Checkpoint], bool]:
    """A page of checkpoints, newest first, and whether there are more."""
    found = store.page(tx, wanted)
    return found[: wanted.limit], len(found) > wanted.limit


def of_job(tx: Connection, job_id: str) -> list[Checkpoint]:
    """Every checkpoint of a job, newest first; raises NotFound."""
    if jobs.version_of(tx, job_id) is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return store.of_job(tx, job_id)


def latest(tx: Connection, wanted: CheckpointFilter) -> Checkpoint:
    """The newest published checkpoint; raises NotFound when there is none."""
    found = store.latest(tx, wanted)
    if found is None:
        if wanted.job is not None and jobs.version_of(tx, wanted.job) is None:
            raise NotFound("no_such_job", f"there is no job {wanted.job}")
        raise NotFound("no_checkpoint", "there is no such checkpoint yet")
    return found


def get(tx: Connection, checkpoint_id: str) -> Checkpoint:
    """One checkpoint, whatever its state; raises NotFound."""
    found = store.get(tx, checkpoint_id)
    if found is None:
        raise NotFound("no_such_checkpoint", f"there is no checkpoint {checkpoint_id}")
    return found


def file_of(tx: Connection, checkpoint_id: str, name: str, volume: Path) -> tuple[Path, FileDigest]:
    """Where a file of a checkpoint is, and its digest; raises NotFound, Gone."""
    found = get(tx, checkpoint_id)
    digest = found.files.get(name)
    if digest is None:
        names = ", ".join(found.files)
        raise NotFound("no_such_file", f"{checkpoint_id} has no file {name!r}; it has {names}")
    root = volume.resolve()
    path = (root / found.path / name).resolve()
    assert path.is_relative_to(root), "a path that leaves the volume was recorded"
    if found.state in ("purging", "purged") or not path.is_file():
        raise Gone(
            "checkpoint_gone", f"the files of {checkpoint_id} are not on the volume any more"
        )
    return path, digest
