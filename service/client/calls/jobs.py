"""The calls that submit, list and read jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import nan
from typing import Any

import httpx
from pydantic import BaseModel

from service.client.calls.job_selection import selection
from service.client.calls.keys import key_header
from service.client.calls.responses import (
    listed,
    paginate,
    parse_model,
    parse_object,
    path_segment,
    requested,
)
from service.client.errors import ApiError, UnexpectedAnswer
from service.client.flow import Flow, ItemFlow, send
from service.client.pages import ItemList
from service.client.series import MetricSeries
from service.contract.hints import Explanation
from service.contract.job_lineage import JobLineage
from service.contract.jobs import Attempt, Event, Job, JobState
from service.contract.specs import CheckDataSpec, EvalSpec, KindName, TrainSpec

PAGE = 100
Spec = TrainSpec | EvalSpec | CheckDataSpec | Mapping[str, Any]


def submit(spec: Spec | None = None, *, key: str | None = None, **fields: Any) -> Flow[Job]:
    """Submit a job: a specification, or its fields as keywords, such as `recipe` and `data`.

    A keyword replaces the field of the specification. The idempotency key makes one job even if the
    request is sent again.
    """
    return requested(Job, "POST", "/jobs", body=_body_of(spec, fields), headers=key_header(key))


def explain(spec: Spec | None = None, **fields: Any) -> Flow[Explanation]:
    """What a submission would be, and what is worth knowing of it; nothing is submitted.

    A server of before hints has none.
    """
    body = _body_of(spec, fields)
    try:
        response = yield from _dry_run(body, explain="true")
    except ApiError as error:
        if not any(problem.pointer == "/explain" for problem in error.errors):
            raise
        response = yield from _dry_run(body)
    answer = parse_object(response)
    return parse_model(Explanation, answer if "spec" in answer else {"spec": answer}, response)


def job(job_id: str) -> Flow[Job]:
    """One job in its current state."""
    return requested(Job, "GET", _path(job_id))


def jobs(
    *,
    q: str | None = None,
    name: str | None = None,
    state: JobState | str | Sequence[JobState | str] | None = None,
    kind: KindName | Sequence[KindName] | None = None,
    recipe: str | None = None,
    label: str | Sequence[str] | None = None,
    created_after: datetime | str | None = None,
    submitted_by: str | None = None,
    params: Mapping[str, Any] | None = None,
    parts: bool = False,
    order_by: str | None = None,
) -> ItemFlow[Job]:
    """All jobs to which every filter that is not None applies, the newest first.

    A job has one of the states and kinds, and every label (`key:value`). `q` is a part of its name,
    its id or a label; `params` are parameters of its specification. Jobs that measure for a search
    are only there with `parts`, or where they are named. `order_by` is `created_at`, `duration`,
    `priority` or `metrics.NAME`, with `-` before it for the highest first. A server of an older
    version refuses what it does not know.

    `left_out` of a job says what a list has without; `refresh()`, or `job(id)`, brings that.
    """
    filters = selection(
        q=q,
        name=name,
        state=state,
        kind=kind,
        recipe=recipe,
        label=label,
        created_after=created_after,
        submitted_by=submitted_by,
        params=params,
        parts=parts,
    )
    return paginate(Job, "/jobs", {**filters, "order_by": order_by, "limit": PAGE})


def recent_jobs(etag: str | None = None) -> Flow[tuple[list[Job] | None, str | None]]:
    """The 20 newest jobs and their ETag; the jobs are None if `etag` is still current."""
    headers = {"If-None-Match": etag} if etag else {}
    response = yield from send("GET", "/jobs", headers=headers)
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return None, etag
    bodies = parse_object(response).get("data", ())
    found = [parse_model(Job, body, response) for body in bodies]
    return found, response.headers.get("etag")


def job_lineage(job_id: str) -> Flow[JobLineage]:
    """The job that it retries, the checkpoint that it starts from, the jobs that came of it."""
    return requested(JobLineage, "GET", f"{_path(job_id)}/lineage")


def events(job_id: str, after: int = 0) -> ItemFlow[Event]:
    """The events of the job with a number above `after`, oldest first."""
    return paginate(Event, f"{_path(job_id)}/events", {"after": after})


def attempts(job_id: str) -> Flow[ItemList[Attempt]]:
    """All attempts of the job, oldest first."""
    return listed(Attempt, f"{_path(job_id)}/attempts")


def metrics(
    job_id: str,
    names: Sequence[str] = (),
    *,
    since_step: int | None = None,
    max_points: int | None = None,
) -> Flow[MetricSeries]:
    """The series of (step, value) by metric name; all metrics if `names` is empty.

    Only steps from `since_step` on; a longer series is reduced to `max_points` values.
    """
    chosen = ",".join(names) or None
    query = {"names": chosen, "since_step": since_step, "max_points": max_points}
    response = yield from send("GET", f"{_path(job_id)}/metrics", query=query)
    body = parse_object(response)
    if "series" not in body:
        raise UnexpectedAnswer(response)
    return MetricSeries(
        (name, [(int(step), nan if value is None else float(value)) for step, value in points])
        for name, points in body["series"].items()
    )


def _dry_run(body: dict[str, Any], **query: str) -> Flow[httpx.Response]:
    return send("POST", "/jobs", query={"validate_only": "true", **query}, body=body)


def _body_of(spec: Spec | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    body = spec.model_dump(mode="json") if isinstance(spec, BaseModel) else dict(spec or {})
    return {**({"kind": "train"} if spec is None else {}), **body, **fields}


def _path(job_id: str) -> str:
    return f"/jobs/{path_segment(job_id)}"
