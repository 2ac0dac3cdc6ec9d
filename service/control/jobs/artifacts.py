"""What a job leaves beside checkpoints: exports, confusion matrices. `result` names them."""

from service.contract.checkpoints import job_files_path
from service.contract.counts import count_text
from service.contract.jobs import Job
from service.control.checkpoints.files import VolumeFile, named_files, open_for_users
from service.domain.errors import Gone, NotFound
from service.volume.identity import SharedVolume


def file_of(job: Job, name: str, volume: SharedVolume) -> VolumeFile:
    """One of the files that the job's result names; raises NotFound, Unavailable."""
    digest = named_files(job.result).get(name)
    if digest is None:
        raise NotFound("no_such_file", f"{job.id} has no file {name!r} in its result")
    file = VolumeFile(name, f"{job_files_path(job.id, job.attempt)}/{name}", digest)
    try:
        open_for_users(volume, file).close()
    except Gone as error:
        raise NotFound("no_such_file", error.message) from error
    return file


def only_file_of(job: Job, volume: SharedVolume) -> VolumeFile:
    """The file of a job that leaves one; raises NotFound, Unavailable."""
    names = list(named_files(job.result))
    if len(names) != 1:
        raise NotFound("no_such_file", f"{job.id} left {count_text(len(names), 'file')}")
    return file_of(job, names[0], volume)
