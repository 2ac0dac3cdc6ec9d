"""A stand-in for MLflow's REST API that keeps every point it is sent, doubles too."""

import json
import math
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from fastapi import FastAPI, Request, Response

from api_tests.support.fake_server import FakeServer

MOST = {"metrics": 1_000, "params": 100, "tags": 100}
"""What MLflow takes in one batch."""


class FakeMlflow(FakeServer):
    """Has runs by id; it can refuse, and answer nothing to what it has done."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.stage = "active"
        """Of each experiment."""
        self.runs: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.refuse: Callable[[str, dict[str, Any]], tuple[int, str] | None] = lambda *_: None
        """By path and body an answer instead of what is asked for."""
        self.lose_answers = 0
        """So many changes are made and then answered 502."""
        self.gate = threading.Event()
        """Nothing is answered before it is set."""
        self.gate.set()
        self._numbers = count(1)
        super().__init__(_app(self))

    def run_of(self, job_id: str) -> dict[str, Any]:
        """The one run of a job."""
        (run,) = (each for each in self.runs.values() if each["tags"]["trainyard.job_id"] == job_id)
        return run

    def points(self, job_id: str, name: str) -> list[tuple[int, float]]:
        """Each (step, value) of a metric, as they came."""
        metrics = self.run_of(job_id)["metrics"]
        return [(each["step"], float(each["value"])) for each in metrics if each["key"] == name]

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What MLflow answers."""
        named = path.replace("/", "_").replace("-", "_")
        found: tuple[int, dict[str, Any]] = getattr(self, f"_{named}")(body)
        return found

    def _experiments_get_by_name(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = body["experiment_name"]
        if name not in self.experiments:
            return _error(404, "RESOURCE_DOES_NOT_EXIST", f"no experiment {name}")
        shown = {"experiment_id": self.experiments[name], "lifecycle_stage": self.stage}
        return 200, {"experiment": shown}

    def _experiments_create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.experiments[body["name"]] = str(next(self._numbers))
        return 200, {"experiment_id": self.experiments[body["name"]]}

    def _runs_get(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body["run_id"] not in self.runs:
            return _error(404, "RESOURCE_DOES_NOT_EXIST", "no such run")
        return 200, {"run": self._shown(body["run_id"])}

    def _runs_search(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        value = body["filter"].split("'")[1]
        found = [
            self._shown(run_id)
            for run_id, run in self.runs.items()
            if run["tags"]["trainyard.job_id"] == value
            and run["experiment_id"] in body["experiment_ids"]
        ]
        return 200, {"runs": found[: body["max_results"]]} if found else {}

    def _runs_create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run_id = f"run{next(self._numbers)}"
        tags = {each["key"]: each["value"] for each in body["tags"]}
        tags["mlflow.runName"] = body["run_name"]
        run = {"experiment_id": body["experiment_id"], "status": "RUNNING", "tags": tags}
        times = {"start_time": body["start_time"], "end_time": None}
        self.runs[run_id] = run | times | {"params": {}, "metrics": [], "stage": "active"}
        return 200, {"run": self._shown(run_id)}

    def _runs_log_batch(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run = self.runs[body["run_id"]]
        for kind, most in MOST.items():
            if len(body.get(kind, ())) > most:
                return _error(400, "INVALID_PARAMETER_VALUE", f"more than {most} {kind}")
        for pair in body.get("params", ()):
            if run["params"].setdefault(pair["key"], pair["value"]) != pair["value"]:
                return _error(400, "INVALID_PARAMETER_VALUE", "a parameter cannot change")
        run["tags"] |= {pair["key"]: pair["value"] for pair in body.get("tags", ())}
        run["metrics"] += body.get("metrics", ())
        return 200, {}

    def _runs_delete_tag(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        del self.runs[body["run_id"]]["tags"][body["key"]]
        return 200, {}

    def _runs_update(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run = self.runs[body["run_id"]]
        run["status"], run["end_time"] = body["status"], body.get("end_time")
        run["tags"]["mlflow.runName"] = body["run_name"]
        return 200, {}

    def _shown(self, run_id: str) -> dict[str, Any]:
        run = self.runs[run_id]
        last: dict[str, dict[str, Any]] = {}
        for point in run["metrics"]:
            last[point["key"]] = max(last.get(point["key"], point), point, key=_step)
        # As MLflow writes its JSON: a number that is not finite is no JSON.
        metrics = [
            point | {"value": value if math.isfinite(value := float(point["value"])) else math.nan}
            for point in last.values()
        ]
        pairs = {kind: [{"key": k, "value": v} for k, v in run[kind].items()] for kind in _PAIRS}
        info = {"run_id": run_id, "status": run["status"], "lifecycle_stage": run["stage"]}
        return {"info": info, "data": {"metrics": metrics, **pairs}}


_PAIRS = ("params", "tags")


def _step(point: dict[str, Any]) -> int:
    return int(point["step"])


def _error(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error_code": code, "message": message}


def _app(fake: FakeMlflow) -> FastAPI:
    app = FastAPI()

    @app.api_route("/api/2.0/mlflow/{path:path}", methods=["GET", "POST"])
    def call(path: str, request: Request, body: dict[str, Any] | None = None) -> Response:
        fake.gate.wait(30)
        fake.calls.append(path)
        fake.headers.append(dict(request.headers))
        asked = body or dict(request.query_params)
        refused = fake.refuse(path, asked)
        if refused is not None:
            status, shown = _error(refused[0], refused[1], "as the test says")
        else:
            status, shown = fake.answer(path, asked)
        if fake.lose_answers and request.method == "POST" and path != "runs/search":
            fake.lose_answers -= 1
            status, shown = 502, {}
        return Response(json.dumps(shown), status, media_type="application/json")

    return app
