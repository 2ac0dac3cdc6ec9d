"""The demo of a search: trains a supernet on the digits, searches it, and trains what is found."""

from typing import Any

from service.cli import figures, terminal
from service.cli.demo_yard import DemoFailed, demo_yard, run_job
from service.contract.checkpoints import job_files_path
from service.contract.jobs import Job
from service.devserver.local_paths import LocalPaths

HIGHEST_ERROR = 0.12
_DATA = {"dataset": "digits"}
_IMAGE_SIZE = 32
_FREE_PLACES = (1, 2, 3, 5, 6, 7, 9, 10)
"""Of the 20: a supernet with all places free learns nothing in minutes."""
_LIMIT = 6_357_440
"""Multiply-adds; these paths have 6.0 to 6.9 million."""
_PICTURES = "search.png, generations.png, front.png and choices.png"
SUPERNET: dict[str, Any] = {
    "kind": "train",
    "recipe": "supernet",
    "name": "demo: supernet",
    "data": _DATA,
    "params": {
        "total_iters": 600,
        "batch_size": 32,
        "image_size": _IMAGE_SIZE,
        "learning_rate": 0.005,
        "sampling": "uniform",
        "choices": ["0123" if place in _FREE_PLACES else "0" for place in range(20)],
        "val_interval": 600,
        "save_interval": 300,
    },
}
SEARCH: dict[str, Any] = {
    "kind": "search",
    "name": "demo: search",
    "data": _DATA,
    "params": {
        "generations": 7,
        "population": 16,
        "parents": 5,
        "mutations": 8,
        "crossovers": 4,
        "macs_limit": _LIMIT,
        "macs_image_size": _IMAGE_SIZE,
        # 360 images give few distinct errors.
        "fitness": "loss",
        "recalibration_batches": 20,
        "recalibration_batch_size": 64,
        "at_once": 16,
    },
}
RETRAINING: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "name": "demo: found network",
    "data": _DATA,
    "params": {
        "total_iters": 250,
        "batch_size": 32,
        "image_size": _IMAGE_SIZE,
        "learning_rate": 0.05,
        "val_interval": 125,
        "save_interval": 125,
    },
}


def run_search_demo(paths: LocalPaths, token: str | None) -> None:
    """Start a server and a worker, train a supernet, search it, train the best; keep the data.

    Raises TrainyardError if a job fails, and if the found network's top-1 error is 12 % or more.
    """
    with demo_yard(paths, token) as client:
        supernet = run_job(client, SUPERNET)
        terminal.echo(
            "its paths, a few of them, have a mean top-1 error of "
            f"{figures.error_rate(supernet.metrics.get('top1_error'))}"
        )
        search = run_job(client, SEARCH | {"checkpoint": {"job": supernet.id}})
        terminal.echo(_found(search))
        retrained = run_job(client, RETRAINING | {"variant": {"search": search.id}})
        error = retrained.metrics.get("top1_error")
        terminal.echo(f"trained alone, it has a top-1 error of {figures.error_rate(error)}")
        folder = paths.volume / job_files_path(search.id, search.attempt)
        terminal.echo(f"{_PICTURES}, the pictures of the search, are in {folder}")
        if error is None or error >= HIGHEST_ERROR:
            limit, found = figures.error_rate(HIGHEST_ERROR), figures.error_rate(error)
            raise DemoFailed(f"the top-1 error is {found}, not below {limit}")


def _found(search: Job) -> str:
    result = search.result or {}
    best = result["best"]
    return (
        f"the best of {result['evaluated']} paths is {best['blocks']}: loss {best['loss']:.3f}, "
        f"{best['multiply_adds']:,} multiply-adds of at most {_LIMIT:,}"
    )
