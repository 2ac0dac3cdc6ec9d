"""What a job leaves beside checkpoints: exports, confusion matrices. `result` names them."""

from dataclasses import dataclass
from pathlib import Path

from service.contract.checkpoints import FileDigest, job_files_path
from service.contract.jobs import Job
from service.contract.paths import PathOutsideRoot, resolve_path
from service.domain.errors import NotFound


@dataclass(frozen=True)
class JobFile:
    """A file on the volume."""

    name: str
    path: Path
    digest: FileDigest


def file_of(job: Job, name: str, volume: Path) -> JobFile:
    """One of the files that the job's result names; raises NotFound."""
    named = (job.result or {}).get("files") or {}
    if name not in named:
        raise NotFound("no_such_file", f"{job.id} has no file {name!r} in its result")
    missing = NotFound("no_such_file", f"{name!r} of {job.id} is not on the volume (any more)")
    try:
        path = resolve_path(volume, f"{job_files_path(job.id, job.attempt)}/{name}")
    except PathOutsideRoot as error:
        raise missing from error
    if not path.is_file():
        raise missing
    return JobFile(name, path, FileDigest.model_validate(named[name]))


def only_file_of(job: Job, volume: Path) -> JobFile:
    """The file of a job that leaves one; raises NotFound."""
    named = list((job.result or {}).get("files") or {})
    if len(named) != 1:
        raise NotFound("no_such_file", f"{job.id} left {len(named)} files")
    return file_of(job, named[0], volume)
