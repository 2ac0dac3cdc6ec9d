"""Every call of the REST API is a method of the client, which really makes that call."""

import inspect
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from api_tests.support.fake_rest_server import a_checkpoint, a_job
from api_tests.support.server_context import Clock, server_context
from service.api.app import build_app
from service.client import Client
from service.client.flow import Request
from service.contract.checkpoints import CheckpointChange
from service.contract.exchange import ExportRequest
from service.store.engine import Database

BY_ANOTHER_CALL = {
    ("GET", "/jobs/series"): "`metrics` reads all series of one job",
    ("GET", "/exports/jobs.csv"): "`jobs(…).to_csv`, `.to_parquet` and `.to_pandas`",
    ("GET", "/exports/checkpoints.csv"): "`checkpoints(…).to_csv` and the others",
    ("GET", "/exports/jobs/{job_id}/events.csv"): "`events(…).to_csv` and the others",
    ("GET", "/jobs/{job_id}/candidates.csv"): "`candidates(…).to_csv` and the others",
    ("GET", "/jobs/{job_id}/checkpoints"): "`checkpoints(job=…)` has the same list",
    ("GET", "/jobs/{job_id}/log.txt"): "`logs` reads the same text in parts",
    ("GET", "/checkpoints/{checkpoint_id}/export"): "`export` and `download_of_job`",
    ("GET", "/recipes/{name}"): "`recipes` has it in its list",
    ("GET", "/healthz"): "for probes",
    ("GET", "/metrics"): "for Prometheus",
}
"""What no method calls, and why."""
NOT_FOR_PROGRAMS = ("/agent/", "/session")
FILE = a_job(1, result={"files": {"model.safetensors": {"bytes": 1, "sha256": "0" * 64}}})
ARGUMENTS: dict[str, Any] = {
    "role": "user",
    "spec": {},
    "job": FILE,
    "since": datetime(2026, 1, 1),
    "dry_run": True,
    "action": "cancel",
    "name": "model.safetensors",
}


def test_every_call_has_a_method_or_a_reason_to_have_none(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db")
    app: FastAPI = build_app(server_context(database, tmp_path, Clock()))
    database.close()
    of_server = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if not path.startswith(NOT_FOR_PROGRAMS)
    }
    patterns = {call: re.compile(re.sub(r"\{\w+\}", "[^/]+", call[1])) for call in of_server}
    made = set(_requests(tmp_path))
    assert len(made) > 30
    called = {
        call
        for call, pattern in patterns.items()
        if any(method == call[0] and pattern.fullmatch(path) for method, path in made)
        and (call[1] in {path for _, path in made} or "{" in call[1])
    }
    assert of_server - called == BY_ANOTHER_CALL.keys() & of_server


def _requests(folder: Path) -> Iterator[tuple[str, str]]:
    """Method and path of the requests that the client's methods make."""
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_") and hasattr(method, "__wrapped__"):
            yield from _of_call(method.__wrapped__, folder)


def _of_call(call: Callable[..., Any], folder: Path) -> Iterator[tuple[str, str]]:
    needed = {
        name: _value(name, call, folder)
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD
    }
    flow = call(**needed)
    request = flow.send(None)
    assert isinstance(request, Request)
    yield request.method, request.path
    if call.__name__ == "download":
        file = flow.send(httpx.Response(200, content=a_checkpoint(1, b"x").model_dump_json()))
        yield file.method, file.path


def _value(name: str, call: Callable[..., Any], folder: Path) -> Any:
    if name == "request":
        return ExportRequest(checkpoint="x") if call.__name__ == "export" else "weights.pth"
    if name == "change":
        is_webhook = call.__name__ == "change_webhook"
        return {"enabled": False} if is_webhook else CheckpointChange(pinned=True)
    if name == "target":
        return folder / "target"
    return ARGUMENTS.get(name, "x")
