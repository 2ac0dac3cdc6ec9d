"""The calls for workers, and for the use of their hosts and GPUs."""

from datetime import datetime

from service.client.calls.responses import listed, path_segment, requested
from service.client.flow import Flow
from service.client.pages import ItemList
from service.contract.samples import JobSamples, WorkerSamples
from service.contract.workers import Worker, WorkerDetail


def workers() -> Flow[ItemList[Worker]]:
    """All workers with their state, GPUs, current jobs, and the last sample of their use."""
    return listed(Worker, "/workers")


def worker(worker_id: str) -> Flow[WorkerDetail]:
    """One worker, with the recipes and kinds of job that it can run."""
    return requested(WorkerDetail, "GET", _path(worker_id))


def worker_samples(
    worker_id: str, *, since: datetime | None = None, max_points: int | None = None
) -> Flow[WorkerSamples]:
    """The use of a worker's host and GPUs since a moment, at most of the last seven days."""
    query = {"since": _text_of(since), "max_points": max_points}
    return requested(WorkerSamples, "GET", f"{_path(worker_id)}/samples", query=query)


def job_samples(
    job_id: str, *, since: datetime | None = None, max_points: int | None = None
) -> Flow[JobSamples]:
    """The use of the hosts and GPUs of a job's attempts while they ran, for seven days."""
    path = f"/jobs/{path_segment(job_id)}/samples"
    query = {"since": _text_of(since), "max_points": max_points}
    return requested(JobSamples, "GET", path, query=query)


def drain(worker_id: str) -> Flow[Worker]:
    """Drain a worker: it finishes its running jobs and claims no new ones."""
    return requested(Worker, "POST", f"{_path(worker_id)}/drain")


def resume_worker(worker_id: str) -> Flow[Worker]:
    """Let a draining or quarantined worker claim again."""
    return requested(Worker, "POST", f"{_path(worker_id)}/resume")


def _path(worker_id: str) -> str:
    return f"/workers/{path_segment(worker_id)}"


def _text_of(moment: datetime | None) -> str | None:
    # A moment without a zone is one of this machine's.
    return moment.astimezone().isoformat() if moment is not None else None
