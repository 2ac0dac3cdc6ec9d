"""`Client`: one method for each call of the REST API."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
from pydantic import BaseModel

from service.client.checkpoints import PAGE, CheckpointCalls
from service.client.errors import ApiError, TrainyardError
from service.client.follow import FollowCalls
from service.client.http import Http, is_transient, parse_object
from service.client.job_actions import JobActionCalls
from service.client.job_selection import selection
from service.client.responses import paginate, parse_model, parse_response, path_segment
from service.client.workers import WorkerCalls
from service.contract.catalog import DatasetInfo
from service.contract.hints import Explanation
from service.contract.job_lineage import JobLineage
from service.contract.jobs import Attempt, Event, Job, JobState
from service.contract.specs import EvalSpec, KindName, TrainSpec

LOCAL_SERVER = "http://127.0.0.1:8000"


class Client(CheckpointCalls, FollowCalls, JobActionCalls, WorkerCalls):
    """A client of one server; every call raises TrainyardError or a subclass of it.

    Without `server` it is the one that TRAINYARD_SERVER names, else that of this machine; without
    `token` the token is TRAINYARD_TOKEN, if that is set.
    """

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        tries: int = 4,
        timeout_seconds: float = 30.0,
    ) -> None:
        server = server or os.environ.get("TRAINYARD_SERVER") or LOCAL_SERVER
        token = token or os.environ.get("TRAINYARD_TOKEN") or None
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
        """Close the connections."""
        self._http.close()

    def submit(
        self, spec: TrainSpec | EvalSpec | Mapping[str, Any], *, key: str | None = None
    ) -> Job:
        """Submit a job; its idempotency key makes one job even if the request is sent again."""
        body = _body_of(spec)
        headers = {"Idempotency-Key": key or uuid4().hex}
        return parse_response(Job, self._http.request("POST", "/jobs", body=body, headers=headers))

    def explain(self, spec: TrainSpec | EvalSpec | Mapping[str, Any]) -> Explanation:
        """What a submission would be, and what is worth knowing of it; nothing is submitted.

        A server of before hints has none.
        """
        try:
            response = self._dry_run(spec, explain="true")
        except ApiError as error:
            if not any(problem.pointer == "/explain" for problem in error.errors):
                raise
            response = self._dry_run(spec)
        body = parse_object(response)
        return parse_model(Explanation, body if "spec" in body else {"spec": body}, response)

    def job(self, job_id: str) -> Job:
        """One job in its current state."""
        return parse_response(Job, self._http.request("GET", f"/jobs/{path_segment(job_id)}"))

    def jobs(
        self,
        *,
        q: str | None = None,
        name: str | None = None,
        state: JobState | Sequence[JobState] | None = None,
        kind: KindName | Sequence[KindName] | None = None,
        recipe: str | None = None,
        label: str | Sequence[str] | None = None,
        created_after: datetime | str | None = None,
        params: Mapping[str, Any] | None = None,
        order_by: str | None = None,
    ) -> Iterator[Job]:
        """All jobs to which every filter that is not None applies, the newest first.

        A job has one of the states and kinds, and every label (`key:value`). `q` is a part of its
        name, its id or a label; `params` are parameters of its specification. `order_by` is
        `created_at`, `duration`, `priority` or `metrics.NAME`, with `-` before it for the highest
        first. A server of an older version refuses what it does not know.
        """
        filters = selection(
            q=q,
            name=name,
            state=state,
            kind=kind,
            recipe=recipe,
            label=label,
            created_after=created_after,
            params=params,
        )
        return paginate(self._http, Job, "/jobs", {**filters, "order_by": order_by, "limit": PAGE})

    def recent_jobs(self, etag: str | None = None) -> tuple[list[Job] | None, str | None]:
        """The 20 newest jobs and their ETag; the jobs are None if `etag` is still current."""
        response = self._read("/jobs", etag)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None, etag
        bodies = parse_object(response).get("data", ())
        jobs = [parse_model(Job, body, response) for body in bodies]
        return jobs, response.headers.get("etag")

    def job_lineage(self, job_id: str) -> JobLineage:
        """The job that it retries, the checkpoint that it starts from, the jobs that came of it."""
        path = f"/jobs/{path_segment(job_id)}/lineage"
        return parse_response(JobLineage, self._http.request("GET", path))

    def events(self, job_id: str, after: int = 0) -> Iterator[Event]:
        """The events of the job with a number above `after`, oldest first."""
        return paginate(self._http, Event, f"/jobs/{path_segment(job_id)}/events", {"after": after})

    def attempts(self, job_id: str) -> list[Attempt]:
        """All attempts of the job, oldest first."""
        return list(paginate(self._http, Attempt, f"/jobs/{path_segment(job_id)}/attempts", {}))

    def metrics(
        self,
        job_id: str,
        names: Sequence[str] = (),
        *,
        since_step: int | None = None,
        max_points: int | None = None,
    ) -> dict[str, list[tuple[int, float]]]:
        """The series of (step, value) by metric name; all metrics if `names` is empty.

        Only steps from `since_step` on; a longer series is reduced to `max_points` values.
        """
        path = f"/jobs/{path_segment(job_id)}/metrics"
        series = self._http.get_field(
            path,
            "series",
            names=",".join(names) or None,
            since_step=since_step,
            max_points=max_points,
        )
        return {
            name: [(int(step), float(value)) for step, value in points]
            for name, points in series.items()
        }

    def recipes(self) -> list[dict[str, Any]]:
        """All recipes with their variants and the JSON Schema of their parameters."""
        return list(self._http.get_field("/recipes", "data"))

    def datasets(self) -> list[DatasetInfo]:
        """The named data sets."""
        return list(paginate(self._http, DatasetInfo, "/datasets", {}))

    def version(self) -> dict[str, Any]:
        """The version of the server, and the digest of its page's files."""
        return dict(parse_object(self._http.request("GET", "/version")))

    def ready(self) -> bool:
        """Whether the server answers and reports that it is ready."""
        try:
            return self._http.request_once("GET", "/readyz").is_success
        except TrainyardError as error:
            if is_transient(error):
                return False
            raise

    def _dry_run(
        self, spec: TrainSpec | EvalSpec | Mapping[str, Any], **query: str
    ) -> httpx.Response:
        asked = {"validate_only": "true", **query}
        return self._http.request("POST", "/jobs", query=asked, body=_body_of(spec))

    def _read(self, path: str, etag: str | None) -> httpx.Response:
        return self._http.request("GET", path, headers={"If-None-Match": etag} if etag else None)


def _body_of(spec: TrainSpec | EvalSpec | Mapping[str, Any]) -> dict[str, Any]:
    return spec.model_dump(mode="json") if isinstance(spec, BaseModel) else dict(spec)
