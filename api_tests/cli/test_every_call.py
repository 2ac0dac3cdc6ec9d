"""Every call of the REST API has a command, which really makes that call."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from api_tests.support.server_context import Clock, server_context
from service.api.app import build_app
from service.cli import app as commands
from service.store.engine import Database

JOB, OTHER = "job_" + "0" * 26, "job_" + "1" * 26
CHECKPOINT, WORKER = "ckpt_" + "0" * 26, "wrk_" + "0" * 26
WEBHOOK, EVENT = "whk_" + "0" * 26, "evt_" + "0" * 26
SWEEP = "swp_" + "0" * 26

COMMANDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("POST", "/jobs"): ("submit", "--recipe", "oneshot", "--dataset", "digits"),
    ("POST", "/jobs/bulk"): ("cancel", JOB, OTHER),
    ("GET", "/jobs"): ("jobs",),
    ("GET", "/jobs/{job_id}"): ("show", JOB),
    ("PATCH", "/jobs/{job_id}"): ("edit", JOB, "--priority", "3"),
    ("DELETE", "/jobs/{job_id}"): ("delete", JOB),
    ("GET", "/jobs/{job_id}/attempts"): ("attempts", JOB),
    ("GET", "/jobs/{job_id}/events"): ("events", JOB),
    ("GET", "/jobs/{job_id}/lineage"): ("lineage", JOB),
    ("GET", "/jobs/{job_id}/search"): ("search", "show", JOB),
    ("GET", "/jobs/{job_id}/candidates"): ("search", "candidates", JOB),
    ("GET", "/jobs/{job_id}/logs"): ("logs", JOB),
    ("GET", "/jobs/{job_id}/metrics"): ("metrics", JOB),
    ("GET", "/jobs/{job_id}/samples"): ("samples", JOB),
    ("POST", "/jobs/{job_id}/cancel"): ("cancel", JOB),
    ("POST", "/jobs/{job_id}/pause"): ("pause", JOB),
    ("POST", "/jobs/{job_id}/resume"): ("resume", JOB),
    ("POST", "/jobs/{job_id}/retry"): ("retry", JOB),
    ("GET", "/checkpoints"): ("checkpoints", "list"),
    ("GET", "/checkpoints/latest"): ("checkpoints", "latest"),
    ("GET", "/checkpoints/best"): ("checkpoints", "best"),
    ("GET", "/checkpoints/{checkpoint_id}"): ("checkpoints", "show", CHECKPOINT),
    ("PATCH", "/checkpoints/{checkpoint_id}"): ("checkpoints", "pin", CHECKPOINT),
    ("DELETE", "/checkpoints/{checkpoint_id}"): ("checkpoints", "delete", CHECKPOINT),
    ("GET", "/checkpoints/{checkpoint_id}/lineage"): ("checkpoints", "lineage", CHECKPOINT),
    ("GET", "/checkpoints/{checkpoint_id}/files/{name}"): ("checkpoints", "download", CHECKPOINT),
    ("POST", "/checkpoints/{checkpoint_id}/export"): ("checkpoints", "export", CHECKPOINT),
    ("POST", "/checkpoints/{checkpoint_id}/verify"): ("checkpoints", "verify", CHECKPOINT),
    ("POST", "/checkpoints/import"): ("checkpoints", "import", "x.pth"),
    ("POST", "/checkpoints/gc"): ("checkpoints", "gc"),
    ("GET", "/imports"): ("checkpoints", "imports"),
    ("GET", "/exports/metrics.csv"): ("metrics", JOB, OTHER, "--csv"),
    ("GET", "/workers"): ("workers", "list"),
    ("GET", "/workers/{worker_id}"): ("workers", "show", WORKER),
    ("GET", "/workers/{worker_id}/samples"): ("workers", "samples", WORKER),
    ("POST", "/workers/{worker_id}/drain"): ("workers", "drain", WORKER),
    ("POST", "/workers/{worker_id}/resume"): ("workers", "resume", WORKER),
    ("GET", "/tokens"): ("token", "list"),
    ("POST", "/tokens"): ("token", "create", "ann", "--role", "user"),
    ("DELETE", "/tokens/{token_id}"): ("token", "revoke", "tok_0"),
    ("GET", "/audit"): ("audit",),
    ("GET", "/webhooks"): ("webhooks", "list"),
    ("POST", "/webhooks"): ("webhooks", "create", "https://example.org"),
    ("GET", "/webhooks/{webhook_id}"): ("webhooks", "show", WEBHOOK),
    ("PATCH", "/webhooks/{webhook_id}"): ("webhooks", "update", WEBHOOK, "--disable"),
    ("DELETE", "/webhooks/{webhook_id}"): ("webhooks", "delete", WEBHOOK),
    ("POST", "/webhooks/{webhook_id}/rotate-secret"): ("webhooks", "rotate-secret", WEBHOOK),
    ("POST", "/webhooks/{webhook_id}/test"): ("webhooks", "test", WEBHOOK),
    ("GET", "/webhooks/{webhook_id}/deliveries"): ("webhooks", "deliveries", WEBHOOK),
    ("POST", "/webhooks/{webhook_id}/deliveries/{event_id}/redeliver"): (
        *("webhooks", "redeliver", WEBHOOK, EVENT),
    ),
    ("GET", "/sweeps"): ("sweep", "list"),
    ("POST", "/sweeps"): ("sweep", "create", "-f", "sweep.json"),
    ("GET", "/sweeps/{sweep_id}"): ("sweep", "show", SWEEP),
    ("DELETE", "/sweeps/{sweep_id}"): ("sweep", "delete", SWEEP),
    ("GET", "/sweeps/{sweep_id}/trials"): ("sweep", "trials", SWEEP),
    ("POST", "/sweeps/{sweep_id}/pause"): ("sweep", "pause", SWEEP),
    ("POST", "/sweeps/{sweep_id}/resume"): ("sweep", "resume", SWEEP),
    ("POST", "/sweeps/{sweep_id}/cancel"): ("sweep", "cancel", SWEEP),
    ("GET", "/recipes"): ("recipes",),
    ("GET", "/recipes/{name}/size"): ("size", "oneshot", "--blocks", "0" * 20),
    ("GET", "/datasets"): ("datasets",),
    ("GET", "/version"): ("version", "--server", "SERVER"),
}

BY_ANOTHER_CALL = {
    ("GET", "/jobs/series"): "`compare` reads the series of each job",
    ("GET", "/exports/jobs.csv"): "`jobs --csv` makes the same table of the list",
    ("GET", "/exports/checkpoints.csv"): "`checkpoints list --csv` makes the same table",
    ("GET", "/exports/jobs/{job_id}/events.csv"): "`events --csv` makes the same table",
    ("GET", "/jobs/{job_id}/candidates.csv"): "`search candidates --csv` makes the same table",
    ("GET", "/jobs/{job_id}/checkpoints"): "`checkpoints list --job` has the same list",
    ("GET", "/jobs/{job_id}/files/{name}"): "`checkpoints export`, `search download`",
    ("GET", "/jobs/{job_id}/log.txt"): "`logs` prints the same text in parts",
    ("GET", "/jobs/{job_id}/stream"): "`events --follow` prints the same events",
    (
        "GET",
        "/stream",
    ): "the page's; `top` asks for what there is, and `events --follow` for one job",
    ("GET", "/checkpoints/{checkpoint_id}/export"): "`checkpoints export` waits for the job",
    ("GET", "/recipes/{name}"): "`recipes NAME` takes it from the list",
    ("GET", "/healthz"): "for probes; `doctor` asks whether a server answers",
    ("GET", "/readyz"): "for probes; `doctor` asks whether a server is ready",
    ("GET", "/metrics"): "for Prometheus",
}
"""What has no command that makes this very call, and why."""

NOT_FOR_PEOPLE = ("/agent/", "/session")
"""The verbs of the agents, and the login of the page."""


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("app")
    database = Database(f"sqlite:///{folder}/x.db")
    app: FastAPI = build_app(server_context(database, folder, Clock()))
    database.close()
    return {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if not path.startswith(NOT_FOR_PEOPLE)
    }


def test_every_call_has_a_command_or_a_reason_to_have_none(
    operations: set[tuple[str, str]],
) -> None:
    assert operations == COMMANDS.keys() | BY_ANOTHER_CALL.keys()
    assert not COMMANDS.keys() & BY_ANOTHER_CALL.keys()


@pytest.mark.parametrize(("call", "args"), COMMANDS.items(), ids=lambda part: " ".join(part))
def test_the_command_makes_the_call(
    fake: Any,
    a_job: Any,
    a_checkpoint: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: tuple[str, str],
    args: tuple[str, ...],
) -> None:
    fake.jobs = [a_job(1, id=JOB), a_job(2, id=OTHER)]
    fake.checkpoints = [a_checkpoint(1, b"x").model_copy(update={"id": CHECKPOINT})]
    monkeypatch.chdir(tmp_path)
    Path("sweep.json").write_text("{}")
    runner = CliRunner(env={"TRAINYARD_SERVER": fake.url})
    runner.invoke(commands, [fake.url if each == "SERVER" else each for each in args])
    method, path = call
    pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
    assert [each for each in fake.requests if each[0] == method and pattern.fullmatch(each[1])]
