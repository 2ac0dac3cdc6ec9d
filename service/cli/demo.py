"""The demo: starts Trainyard, trains on the digits, evaluates, and shows the checkpoint."""

import json
from importlib.resources import files
from typing import Any

from service.cli import figures, terminal
from service.cli.demo_yard import DemoFailed, demo_yard, run_job
from service.contract.jobs import Job
from service.devserver.local_paths import LocalPaths

TRAINING: dict[str, Any] = json.loads(
    (files("service") / "dashboard" / "first_job.json").read_text(encoding="utf-8")
)
HIGHEST_ERROR = 0.08


def run_demo(paths: LocalPaths, token: str | None) -> None:
    """Start a server and a worker, train, evaluate, and stop them; the data folder is kept.

    Raises TrainyardError if a job fails, and if the top-1 error is 8 % or more.
    """
    with demo_yard(paths, token) as client:
        # The README has a reader submit the same one under its own name.
        trained = run_job(client, TRAINING | {"name": "demo: training"})
        evaluated = run_job(client, _evaluation_of(trained))
        error = (evaluated.result or {}).get("top1_error")
        terminal.echo(
            f"evaluated on the validation images: top-1 error {figures.error_rate(error)}"
        )
        checkpoint = client.latest_checkpoint()
        size = figures.size(checkpoint.bytes)
        terminal.echo(f"its latest checkpoint: {checkpoint.id}, step {checkpoint.step}, {size}")
        if error is None or error >= HIGHEST_ERROR:
            limit = figures.error_rate(HIGHEST_ERROR)
            found = figures.error_rate(error)
            raise DemoFailed(f"the top-1 error is {found}, not below {limit}")


def _evaluation_of(trained: Job) -> dict[str, Any]:
    sizes = {name: TRAINING["params"][name] for name in ("image_size", "batch_size")}
    return {
        "kind": "eval",
        "recipe": trained.recipe,
        "name": "demo: evaluation",
        "data": TRAINING["data"],
        "params": sizes,
        "checkpoint": {"job": trained.id, "which": "latest"},
    }
