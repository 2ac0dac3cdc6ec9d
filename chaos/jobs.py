"""The jobs of a chaos run, trainings and searches: which is which is told by its seed."""

from collections.abc import Mapping
from typing import Any

from service.client import TrainyardClient
from service.contract.jobs import Job
from service.contract.specs import SearchSpec, TrainSpec

_BASE: dict[str, Any] = {"data": {"dataset": "digits"}, "max_failures": 100}
_TRAINING: dict[str, Any] = {
    "batch_size": 16,
    "image_size": 32,
    "learning_rate": 0.05,
    "val_interval": 60,
    "save_interval": 6,
    "display_interval": 6,
    "bn_recalibration_iters": 6,
}
_PLACES = 20
_FREE_PLACES = 8
SUPERNET = _BASE | {
    "kind": "train",
    "recipe": "supernet",
    "params": {
        "seed": 0,
        "total_iters": 6,
        "batch_size": 16,
        "image_size": 32,
        "learning_rate": 0.005,
        "sampling": "uniform",
        "choices": ["0123"] * _FREE_PLACES + ["0"] * (_PLACES - _FREE_PLACES),
        "validated_paths": 1,
        "validation_recalibration_batches": 1,
    },
}
"""What the searches search; it is trained before any fault."""


def _training(**params: int) -> dict[str, Any]:
    return _BASE | {
        "kind": "train",
        "recipe": "shufflenet_v2",
        "variant": "0.5x",
        "retention": {"keep_last": 2, "keep_best": 0},
        "params": _TRAINING | params,
    }


# One in four outlasts whatever is done to its worker.
SHORT = _training(seed=1, total_iters=60)
LONG = _training(seed=2, total_iters=300)


def a_search(supernet: str) -> dict[str, Any]:
    """A search of the supernet that this job has trained."""
    return _BASE | {
        "kind": "search",
        "checkpoint": {"job": supernet},
        "params": {
            "seed": 3,
            "generations": 4,
            "population": 6,
            "parents": 3,
            "mutations": 3,
            "crossovers": 2,
            "macs_limit": 6_500_000,
            "macs_image_size": 32,
            "fitness": "loss",
            "fitness_images": 64,
            "recalibration_batches": 2,
            "recalibration_batch_size": 16,
            "at_once": 2,
        },
    }


def seed_of(job: Job) -> int:
    """By which it is known what the job was to do."""
    if isinstance(job.spec, SearchSpec):
        return job.spec.params.seed
    assert isinstance(job.spec, TrainSpec)
    seed: int = job.spec.params["seed"]
    return seed


def table_of(client: TrainyardClient, job: Job) -> tuple[Mapping[str, Any], ...]:
    """Every candidate of a search with what was measured of it; nothing of another job."""
    if not isinstance(job.spec, SearchSpec):
        return ()
    found = client.search_job(job.id).candidates()
    return tuple(each.model_dump() for each in found)
