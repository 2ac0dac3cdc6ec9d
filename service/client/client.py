"""The calls of the API, one method each, in the words of the contract."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict

from service.client.checkpoints import PAGE, CheckpointCalls
from service.client.errors import StillRunning, TrainyardError
from service.client.http import Http, may_heal, parsed
from service.client.job_actions import SteeringCalls
from service.client.responses import model, pages, quoted, validated
from service.contract.datasets import DatasetInfo
from service.contract.jobs import ENDED_JOBS, Attempt, Event, Job
from service.contract.specs import JobSpec
from service.contract.workers import Worker

_PATIENCE_SECONDS = 60.0


class LogPart(BaseModel):
    """A piece of a job's log; `end` when nothing has been written after `cursor` so far."""

    model_config = ConfigDict(frozen=True)

    text: str
    cursor: str
    end: bool


class TrainyardClient(CheckpointCalls, SteeringCalls):
    """A yard as Python sees it; every call raises `TrainyardError` or one of its children."""

    def __init__(
        self,
        server: str = "http://127.0.0.1:8000",
        token: str | None = None,
        *,
        tries: int = 4,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._http = Http(server, token, tries=tries, timeout_seconds=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def submit(self, spec: JobSpec | Mapping[str, Any], *, key: str | None = None) -> Job:
        """Queue a job, once: a retry sends the same key, and a lost reply makes no second job."""
        body = spec.model_dump(mode="json") if isinstance(spec, JobSpec) else dict(spec)
        headers = {"Idempotency-Key": key or uuid4().hex}
        return model(Job, self._http.request("POST", "/jobs", body=body, headers=headers))

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return model(Job, self._http.request("GET", f"/jobs/{quoted(job_id)}"))

    def jobs(self, **filters: str) -> Iterator[Job]:
        """All jobs, newest first; filters are `state`, `kind`, `recipe`, `label="k:v"`."""
        return pages(self._http, Job, "/jobs", {**filters, "limit": PAGE})

    def recent_jobs(self, etag: str | None = None) -> tuple[list[Job] | None, str | None]:
        """The 20 newest jobs and their ETag; None for the jobs while that of `etag` still holds."""
        response = self._read("/jobs", etag)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None, etag
        found = parsed(response).get("data", ())
        jobs = [validated(Job, each, response) for each in found]
        return jobs, response.headers.get("etag")

    def events(self, job_id: str, after: int = 0) -> Iterator[Event]:
        """The job's history after event number `after`, oldest first."""
        return pages(self._http, Event, f"/jobs/{quoted(job_id)}/events", {"after": after})

    def attempts(self, job_id: str) -> list[Attempt]:
        """Every try of the job, oldest first."""
        return list(pages(self._http, Attempt, f"/jobs/{quoted(job_id)}/attempts", {}))

    def metrics(
        self,
        job_id: str,
        names: Sequence[str] = (),
        *,
        since_step: int | None = None,
        max_points: int | None = None,
    ) -> dict[str, list[tuple[int, float]]]:
        """Series of (step, value) by name."""
        wanted = ",".join(names) or None
        path = f"/jobs/{quoted(job_id)}/metrics"
        series = self._http.part(
            path, "series", names=wanted, since_step=since_step, max_points=max_points
        )
        return {
            name: [(int(step), float(value)) for step, value in points]
            for name, points in series.items()
        }

    def logs(
        self, job_id: str, *, attempt: int | None = None, cursor: str | None = None
    ) -> LogPart:
        """The log from `cursor` on; of the newest attempt unless one is named."""
        path, query = f"/jobs/{quoted(job_id)}/logs", {"attempt": attempt, "cursor": cursor}
        return model(LogPart, self._http.request("GET", path, query=query))

    def wait(
        self,
        job_id: str,
        on_change: Callable[[Job], None] = lambda _: None,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 0.5,
    ) -> Job:
        """The job once it has ended; `on_change` sees every change, the first state included.

        An unchanged job costs a 304. A server that is away for up to a minute is waited for.
        Raises StillRunning when the time is up.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        etag: str | None = None
        heard = time.monotonic()
        while True:
            try:
                response = self._read(f"/jobs/{quoted(job_id)}", etag)
                heard = time.monotonic()
            except TrainyardError as error:
                if not may_heal(error) or time.monotonic() - heard > _PATIENCE_SECONDS:
                    raise
            else:
                etag = response.headers.get("etag", etag)
                if response.status_code != httpx.codes.NOT_MODIFIED:
                    job = model(Job, response)
                    on_change(job)
                    if job.state in ENDED_JOBS:
                        return job
            left = poll_seconds if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise StillRunning(f"{job_id} has not ended within {timeout_seconds:g} s")
            time.sleep(min(poll_seconds, left))

    def workers(self) -> list[Worker]:
        """The workers with their state, GPUs and current jobs."""
        return list(pages(self._http, Worker, "/workers", {}))

    def recipes(self) -> list[dict[str, Any]]:
        """The recipes with their variants, defaults and JSON schema."""
        return list(self._http.part("/recipes", "data"))

    def datasets(self) -> list[DatasetInfo]:
        """The data sets that come with every worker."""
        return list(pages(self._http, DatasetInfo, "/datasets", {}))

    def version(self) -> dict[str, Any]:
        """What the server runs."""
        return dict(parsed(self._http.request("GET", "/version")))

    def ready(self) -> bool:
        """Whether the server answers and can serve."""
        try:
            return self._http.once("GET", "/readyz").is_success
        except TrainyardError as error:
            if may_heal(error):
                return False
            raise

    def _read(self, path: str, etag: str | None) -> httpx.Response:
        return self._http.request("GET", path, headers={"If-None-Match": etag} if etag else None)
