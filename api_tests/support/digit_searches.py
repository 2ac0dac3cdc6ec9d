"""Searches of supernets of the digits, as a worker is given them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_tests.support.attempts import (
    PATIENCE_SECONDS,
    as_checkpoint,
    attempt,
    ended,
    final_folder,
    run,
)
from service.contract.agent import ReportedEvent
from service.contract.candidates import Candidate, CandidatesFound, Fitness
from workers.attempt_dir import AttemptDir

DIGITS = {"dataset": "digits"}
FREE = (1, 2, 3, 5, 6, 7, 9, 10)
"""The places at which the paths of these supernets have all choices; elsewhere they have 0."""
CHOICES = ["0123" if place in FREE else "0" for place in range(20)]
TRAINING: dict[str, Any] = {
    "total_iters": 24,
    "batch_size": 32,
    "image_size": 32,
    "learning_rate": 0.005,
    "bn_recalibration_iters": 0,
    "val_interval": 10_000,
    "validated_paths": 1,
    "validation_recalibration_batches": 1,
    "sampling": "uniform",
    "choices": CHOICES,
}
SEARCH: dict[str, Any] = {
    "generations": 3,
    "population": 5,
    "parents": 3,
    "mutations": 2,
    "crossovers": 2,
    "macs_limit": 6_357_440,
    "macs_image_size": 32,
    "recalibration_batches": 2,
    "recalibration_batch_size": 16,
    "fitness": "loss",
    "fitness_images": 64,
    "at_once": 3,
}


@dataclass
class TrainedSupernet:
    """A supernet that was trained on the volume as `job_1`; `training` are all its parameters."""

    volume: Path
    training: dict[str, Any]
    recipe: str = "supernet"
    variant: str = "oneshot"
    searches: int = 0

    def spec(self, **params: Any) -> dict[str, Any]:
        """The spec of a search of it, as it is stored."""
        return {
            "kind": "search",
            "checkpoint": {"job": "job_1"},
            "data": DIGITS,
            "recipe": self.recipe,
            "variant": self.variant,
            "training": self.training,
            "params": SEARCH | params,
        }

    def new_job(self) -> str:
        """The id of the next search."""
        self.searches += 1
        return f"job_search_{self.searches}"

    def attempt(
        self, spec: dict[str, Any], job_id: str, number: int = 1, **claim: Any
    ) -> AttemptDir:
        """The folder of an attempt at a search."""
        weights = as_checkpoint(self.volume, final_folder(self.volume))
        return attempt(
            self.volume, number, job_id=job_id, **{"spec": spec, "weights": weights} | claim
        )

    def searched(self, ranks: int = 1, **params: Any) -> "Searched":
        """A search that is left alone; it ends well."""
        job_id = self.new_job()
        events = run(self.attempt(self.spec(**params), job_id), ranks=ranks)
        end = ended(events)
        assert end["outcome"] == "succeeded", end
        return Searched(job_id, events, end["result"])


@dataclass(frozen=True)
class Searched:
    """What a search has reported."""

    job_id: str
    events: list[ReportedEvent]
    result: dict[str, Any]

    @property
    def table(self) -> list[Candidate]:
        """The candidates in the order in which they were asked for."""
        return found(self.events)


def trained_supernet(
    volume: Path,
    recipe: str = "supernet",
    variant: str = "oneshot",
    *,
    seconds: float = PATIENCE_SECONDS,
    **params: Any,
) -> TrainedSupernet:
    """A supernet of the digits, trained within so many seconds; the recipe has 20 places."""
    network = {"recipe": recipe, "variant": variant}
    spec = {"kind": "train", **network, "data": DIGITS, "params": TRAINING | params}
    attempt_dir = attempt(volume, spec=spec)
    end = ended(run(attempt_dir, seconds=seconds))
    assert end["outcome"] == "succeeded", end
    trained_with = attempt_dir.assignment().claim.job_spec.params
    return TrainedSupernet(volume, trained_with, recipe, variant)


def found(events: list[ReportedEvent]) -> list[Candidate]:
    """The candidates that were reported, in the order in which they were asked for."""
    each = [
        candidate
        for event in events
        if event.kind == "candidates"
        for candidate in CandidatesFound.model_validate_json(json.dumps(event.body)).candidates
    ]
    return sorted(each, key=lambda candidate: candidate.order)


def known(events: list[ReportedEvent]) -> tuple[Fitness, ...]:
    """What a claim would carry of them, through JSON as the server stores it."""
    dumped = (candidate.model_dump() for candidate in found(events))
    fields = set(Fitness.model_fields)
    return tuple(Fitness.model_validate({name: each[name] for name in fields}) for each in dumped)
