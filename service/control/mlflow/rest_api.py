"""The calls of MLflow's REST API that show jobs as runs."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import httpx

from service.contract.http_client import http_client

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_MOST_METRICS, _MOST_OTHERS = 1_000, 100
"""What MLflow takes in one batch."""
_MESSAGE_LENGTH = 500
JOB_TAG = "trainyard.job_id"


class MlflowAway(Exception):
    """MLflow answers nothing that is of use to any job; the message says why."""


class MlflowRefused(Exception):
    """MLflow refuses a request; the message is its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"MLflow answers {status} {code}: {message}")
        self.status, self.code = status, code


class Point(NamedTuple):
    """A value of a metric, measured at a step and a moment in milliseconds since 1970."""

    name: str
    value: float
    milliseconds: int
    step: int


@dataclass(frozen=True)
class Run:
    """What MLflow has of a run; `last_steps` are the highest step of each metric."""

    id: str
    status: str
    is_deleted: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    last_steps: Mapping[str, int] = field(default_factory=dict)


class MlflowApi:
    """One MLflow server; each call raises MlflowAway or MlflowRefused.

    `token` is a bearer token, or `user:password`.
    """

    def __init__(self, uri: str, token: str | None) -> None:
        basic = token is not None and ":" in token
        encoded = base64.b64encode((token or "").encode()).decode()
        headers = {"Authorization": f"Basic {encoded}"} if basic else {}
        self._http = http_client(uri, None if basic else token, timeout=_TIMEOUT, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def experiment(self, name: str) -> str:
        """The id of an experiment, which is made if there is none of this name."""
        found = self._found("experiments/get-by-name", experiment_name=name)
        if found is None:
            try:
                return str(self._post("experiments/create", name=name)["experiment_id"])
            except MlflowRefused as error:
                # Another server may have made it meanwhile.
                found = self._found("experiments/get-by-name", experiment_name=name)
                if error.code != "RESOURCE_ALREADY_EXISTS" or found is None:
                    raise
        if found["experiment"].get("lifecycle_stage") == "deleted":
            raise MlflowAway(
                f"the experiment {name!r} is deleted in MLflow: restore it, or name another one "
                "by TRAINYARD_MLFLOW_EXPERIMENT"
            )
        return str(found["experiment"]["experiment_id"])

    def run(self, run_id: str) -> Run | None:
        """A run; None if there is none of this id."""
        found = self._found("runs/get", run_id=run_id)
        return _run(found["run"]) if found is not None else None

    def run_of_job(self, experiment_id: str, job_id: str) -> Run | None:
        """The run that shows a job, if there is one."""
        condition = f"tags.`{JOB_TAG}` = '{job_id}'"
        body = {"experiment_ids": [experiment_id], "filter": condition, "max_results": 1}
        runs = self._post("runs/search", **body).get("runs") or ()
        return next((_run(each) for each in runs), None)

    def create(self, experiment_id: str, job_id: str, name: str, began: datetime) -> Run:
        """A new run that shows a job."""
        tags = [{"key": JOB_TAG, "value": job_id}]
        body = {"experiment_id": experiment_id, "run_name": name, "tags": tags}
        return _run(self._post("runs/create", **body, start_time=milliseconds(began))["run"])

    def log(
        self,
        run_id: str,
        points: Sequence[Point] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add points, parameters and tags, in as many batches as MLflow needs them in."""
        for kind, pairs in (("params", params or {}), ("tags", tags or {})):
            listed = [{"key": key, "value": value} for key, value in pairs.items()]
            for part in _parts(listed, _MOST_OTHERS):
                self._post("runs/log-batch", run_id=run_id, **{kind: part})
        for metrics in _parts([_metric(point) for point in points], _MOST_METRICS):
            self._post("runs/log-batch", run_id=run_id, metrics=metrics)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Take a tag away."""
        self._post("runs/delete-tag", run_id=run_id, key=key)

    def update(self, run_id: str, status: str, name: str, ended: datetime | None) -> None:
        """Set the status and the name of a run, and when it ended."""
        end = {} if ended is None else {"end_time": milliseconds(ended)}
        self._post("runs/update", run_id=run_id, status=status, run_name=name, **end)

    def _found(self, path: str, **query: str) -> Any:
        try:
            return self._send("GET", path, params=query)
        except MlflowRefused as error:
            if error.status == 404 or error.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _post(self, path: str, **body: Any) -> Any:
        content = json.dumps(body, allow_nan=False).encode()
        return self._send(
            "POST", path, content=content, headers={"Content-Type": "application/json"}
        )

    def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._http.request(method, f"/api/2.0/mlflow/{path}", **options)
            body = response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MlflowAway(f"MLflow does not answer: {error or type(error).__name__}") from error
        except ValueError:
            body = None
        if response.is_success and isinstance(body, dict):
            return body
        raise _error_of(response.status_code, body if isinstance(body, dict) else {})


def _error_of(status: int, body: Mapping[str, Any]) -> MlflowAway | MlflowRefused:
    message = str(body.get("message") or "")[:_MESSAGE_LENGTH]
    if status in (401, 403):
        return MlflowAway(f"MLflow answers {status}: correct TRAINYARD_MLFLOW_TOKEN. {message}")
    if status == 429 or status >= 500:
        return MlflowAway(f"MLflow answers {status}: {message}")
    if not body.get("error_code"):
        # Not of this job: whatever is sent there is answered so.
        return MlflowAway(
            f"what answers {status} is no MLflow: correct TRAINYARD_MLFLOW_URI. {message}"
        )
    return MlflowRefused(status, str(body["error_code"]), message)


def milliseconds(moment: datetime) -> int:
    """A moment in milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def _metric(point: Point) -> dict[str, Any]:
    value: float | str = point.value
    if point.value - point.value != 0:
        # Not finite: JSON has no such number, and MLflow takes these words.
        value = {"inf": "Infinity", "-inf": "-Infinity"}.get(str(point.value), "NaN")
    return {
        "key": point.name,
        "value": value,
        "timestamp": point.milliseconds,
        "step": point.step,
    }


def _run(body: Any) -> Run:
    info, data = body["info"], body.get("data") or {}
    return Run(
        id=info["run_id"],
        status=info["status"],
        is_deleted=info.get("lifecycle_stage") == "deleted",
        tags={each["key"]: each.get("value", "") for each in data.get("tags") or ()},
        params={each["key"]: each.get("value", "") for each in data.get("params") or ()},
        last_steps={e["key"]: int(e.get("step") or 0) for e in data.get("metrics") or ()},
    )


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
