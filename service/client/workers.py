"""The client's calls for workers, and for the use of their hosts and GPUs."""

from datetime import datetime

from service.client.http import Http
from service.client.responses import paginate, parse_response, path_segment
from service.contract.samples import JobSamples, WorkerSamples
from service.contract.workers import Worker, WorkerDetail


class WorkerCalls:
    """The methods of `Client` for workers."""

    _http: Http

    def workers(self) -> list[Worker]:
        """All workers with their state, GPUs, current jobs, and the last sample of their use."""
        return list(paginate(self._http, Worker, "/workers", {}))

    def worker(self, worker_id: str) -> WorkerDetail:
        """One worker, with the recipes and kinds of job that it can run."""
        return parse_response(
            WorkerDetail, self._http.request("GET", f"/workers/{path_segment(worker_id)}")
        )

    def worker_samples(
        self, worker_id: str, *, since: datetime | None = None, max_points: int | None = None
    ) -> WorkerSamples:
        """The use of a worker's host and GPUs since a moment, at most of the last seven days."""
        path = f"/workers/{path_segment(worker_id)}/samples"
        query = {"since": _text_of(since), "max_points": max_points}
        return parse_response(WorkerSamples, self._http.request("GET", path, query=query))

    def job_samples(
        self, job_id: str, *, since: datetime | None = None, max_points: int | None = None
    ) -> JobSamples:
        """The use of the hosts and GPUs of a job's attempts while they ran, for seven days."""
        path = f"/jobs/{path_segment(job_id)}/samples"
        query = {"since": _text_of(since), "max_points": max_points}
        return parse_response(JobSamples, self._http.request("GET", path, query=query))

    def drain(self, worker_id: str) -> Worker:
        """Drain a worker: it finishes its running jobs and claims no new ones."""
        return parse_response(
            Worker, self._http.request("POST", f"/workers/{path_segment(worker_id)}/drain")
        )

    def resume_worker(self, worker_id: str) -> Worker:
        """Let a draining or quarantined worker claim again."""
        return parse_response(
            Worker, self._http.request("POST", f"/workers/{path_segment(worker_id)}/resume")
        )


def _text_of(moment: datetime | None) -> str | None:
    # A moment without a zone is one of this machine's.
    return moment.astimezone().isoformat() if moment is not None else None
