"""A server beside MLflow: killed, left alone, and before a real MLflow."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_mlflow import FakeMlflow
from api_tests.support.server import Server, wait_for

STEPS = range(1, 41)


@pytest.fixture
def mlflow() -> Iterator[FakeMlflow]:
    fake = FakeMlflow()
    yield fake
    fake.gate.set()
    fake.stop()


def _train(agent: FakeAgent, steps: range = STEPS, **fields: Any) -> dict[str, Any]:
    agent.submit(**fields)
    claim = agent.claim()
    for step in steps:
        metrics = {"loss": 1 / step}
        body = {"phase": "train", "step": step, "total_steps": 40, "metrics": metrics}
        agent.beat(claim, ("progress", body))
    return claim


def test_a_server_that_is_killed_goes_on_where_it_was(tmp_path: Path, mlflow: FakeMlflow) -> None:
    server = Server(tmp_path, mlflow_uri=mlflow.url, mlflow_seconds="0.1")
    agent = FakeAgent(server)
    claim = _train(agent)
    wait_for(lambda: bool(mlflow.runs), "the run")
    # What is under way now is done by MLflow, and its answer is lost.
    mlflow.gate.clear()
    agent.report(claim)
    server.stop(signal.SIGKILL)
    mlflow.gate.set()
    server.start()
    wait_for(lambda: mlflow.run_of(claim["job_id"])["status"] == "FINISHED", "the end of the run")
    assert mlflow.points(claim["job_id"], "loss") == [(step, 1 / step) for step in STEPS]
    text = server.http.get("/metrics").text
    assert 'trainyard_mlflow_uploads_total{outcome="done"}' in text
    agent.http.close()
    server.stop()


def test_an_mlflow_that_hangs_holds_up_nothing_and_one_that_is_away_is_told(
    tmp_path: Path, mlflow: FakeMlflow
) -> None:
    server = Server(tmp_path, mlflow_uri=mlflow.url, mlflow_seconds="0.1")
    agent = FakeAgent(server)
    mlflow.gate.clear()
    claim = _train(agent)
    agent.report(claim)
    assert server.http.get(f"/jobs/{claim['job_id']}").json()["state"] == "succeeded"
    mlflow.refuse = lambda *_: (503, "TEMPORARILY_UNAVAILABLE")
    mlflow.gate.set()
    away = 'trainyard_mlflow_uploads_total{outcome="away"} '
    wait_for(lambda: f"{away}0.0" not in server.http.get("/metrics").text, "the count of misses")
    assert "mlflow_away" in (tmp_path / "server.log").read_text()
    mlflow.refuse = lambda *_: None
    wait_for(lambda: bool(mlflow.runs), "the run")
    agent.http.close()
    server.stop()


@pytest.fixture
def real_mlflow(tmp_path: Path) -> Iterator[str]:
    """A real MLflow server, of `TRAINYARD_TEST_MLFLOW` or the path."""
    program = os.environ.get("TRAINYARD_TEST_MLFLOW") or shutil.which("mlflow")
    if program is None:
        pytest.skip("no mlflow: name its program by TRAINYARD_TEST_MLFLOW")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / "mlflow"
    folder.mkdir()
    command = [program, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: _answers(url), "MLflow's start", seconds=120)
    yield url
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)


@pytest.mark.mlflow
def test_a_real_mlflow_shows_the_job(tmp_path: Path, real_mlflow: str) -> None:
    server = Server(tmp_path, mlflow_uri=real_mlflow, mlflow_seconds="0.2")
    agent = FakeAgent(server)
    claim = _train(agent, name="first run", labels={"team": "vision"})
    _wait_for_run(real_mlflow, lambda run: run["data"].get("metrics"))
    server.stop(signal.SIGKILL)
    server.start()
    agent.http.base_url = server.url
    agent.report(claim, result={"top1_error": 0.25})
    run = _wait_for_run(real_mlflow, lambda run: run["info"]["status"] == "FINISHED")
    assert run["info"]["run_name"] == "first run"
    params = {each["key"]: each["value"] for each in run["data"]["params"]}
    assert (params["recipe"], params["batch_size"]) == ("oneshot", "32")
    tags = {each["key"]: each["value"] for each in run["data"]["tags"]}
    assert (tags["trainyard.job_id"], tags["label.team"]) == (claim["job_id"], "vision")
    query = {"run_id": run["info"]["run_id"], "metric_key": "loss"}
    answer = httpx.get(f"{real_mlflow}/api/2.0/mlflow/metrics/get-history", params=query)
    points = [(int(each["step"]), each["value"]) for each in answer.json()["metrics"]]
    assert points == [(step, 1 / step) for step in STEPS]
    agent.http.close()
    server.stop()


def _wait_for_run(url: str, condition: Any) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        named = {"experiment_name": "trainyard"}
        answer = httpx.get(f"{url}/api/2.0/mlflow/experiments/get-by-name", params=named)
        if answer.status_code != 200:
            return False
        ids = [answer.json()["experiment"]["experiment_id"]]
        search = f"{url}/api/2.0/mlflow/runs/search"
        runs = httpx.post(search, json={"experiment_ids": ids}).json().get("runs", [])
        assert len(runs) < 2
        found[:] = [run for run in runs if condition(run)]
        return bool(found)

    wait_for(is_there, "the run in MLflow", seconds=60)
    return found[0]


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False
