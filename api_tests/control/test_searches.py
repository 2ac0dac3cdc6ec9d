"""Which searches are taken, with what is filled in, and what is said of one that cannot be."""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.search_fixtures import supernet
from api_tests.support.searches import (
    LEAST,
    MOST,
    SUPERNET,
    a_candidate,
    a_search,
    a_supernet,
    blocks_of,
    found,
    refusal,
    submitted,
)
from api_tests.support.use_cases import ControlPlane
from service.contract.fields import MOST_LABELS
from service.contract.jobs import Job
from service.contract.specs import SearchSpec, TrainSpec
from service.contract.submissions import Submission
from service.control.jobs.submission import explain
from service.domain.errors import Unprocessable

MOST_OF_THEM = {f"label{number}": "a" for number in range(MOST_LABELS)}
FREE = ["0123"] * 4 + ["0"] * 16
"""The choices of a supernet of 256 paths."""

NO_CHANGES = {"mutations": 0, "crossovers": 0}
__all__ = ["supernet"]


def test_a_search_is_stored_with_its_network_and_how_the_supernet_was_trained(
    control_plane: ControlPlane, supernet: Job
) -> None:
    job = submitted(control_plane, a_search(supernet))
    spec = job.spec
    assert isinstance(spec, SearchSpec)
    assert isinstance(supernet.spec, TrainSpec)
    assert (job.kind, job.recipe, job.variant) == ("search", "supernet", "oneshot")
    assert (spec.recipe, spec.variant) == ("supernet", "oneshot")
    assert spec.training == supernet.spec.params
    assert spec.params.holdout_every == spec.training.get("holdout_every", 0)
    assert (job.progress.total_steps, job.progress.phase) == (6, "search")


def test_the_search_of_given_candidates_has_as_many_steps(
    control_plane: ControlPlane, supernet: Job
) -> None:
    given = {"candidates": [blocks_of(1), blocks_of(2)]}
    job = submitted(control_plane, a_search(supernet, params=given))
    assert job.progress.total_steps == 2


def test_a_checkpoint_that_is_no_supernets_is_refused_by_its_recipe(
    control_plane: ControlPlane, agent: Agent
) -> None:
    other = a_supernet(control_plane, agent, recipe="oneshot", variant="searched")
    pointer, message = refusal(control_plane, a_search(other))
    assert pointer == "/checkpoint"
    assert "is of recipe oneshot, which is no supernet: name a checkpoint of supernet" in message
    pointer, message = refusal(control_plane, a_search(other, checkpoint={"file": "a.pth"}))
    assert pointer == "/checkpoint/file"
    assert "import the file" in message


@pytest.mark.parametrize(
    ("params", "pointer", "message"),
    [
        (
            {"macs_limit": LEAST - 1},
            "/params/macs_limit",
            f"below the least possible: .* {LEAST:,} to {MOST:,} .*; use {LEAST:,} or more",
        ),
        (
            {"macs_limit": MOST + 1},
            "/params/macs_limit",
            f"above the most possible: .* {LEAST:,} to {MOST:,} .*; use at most {MOST:,}",
        ),
        (
            {"macs_limit": 398_609_216, "macs_image_size": 224},
            "/params/macs_limit",
            "above the most possible: .*; leave it out for 330,000,000, or use at most 39",
        ),
        (
            {"macs_limit": LEAST, "population": 5, "generations": 1},
            "/params/population",
            "population 5 is more than the 1 path with .*: use at most 1, or another macs_limit",
        ),
        ({"candidates": ["0" * 19]}, "/params/candidates/0", "has 19 digits: a path has 20"),
        (
            {"candidates": ["0" * 20, "0" * 19 + "4"]},
            "/params/candidates/1",
            "has 4 at place 19, where the supernet has 0, 1, 2, 3",
        ),
        (
            {"candidates": ["1" * 20, "0" * 20, "1" * 20]},
            "/params/candidates/2",
            "is candidate 0, too: name it once",
        ),
        (
            {"candidates": ["2" * 20], "macs_limit": LEAST},
            "/params/candidates/0",
            "multiply-adds, more than macs_limit .*: raise the limit",
        ),
        ({"holdout_every": 1}, "/params/holdout_every", "leaves no image to train on"),
        ({"known": "job_none"}, "/params/known", "there is no job job_none"),
    ],
)
def test_parameters_that_cannot_be_are_refused_with_what_to_change(
    control_plane: ControlPlane,
    supernet: Job,
    params: dict[str, Any],
    pointer: str,
    message: str,
) -> None:
    with pytest.raises(Unprocessable, match=message) as refused:
        submitted(control_plane, a_search(supernet, params=params))
    assert refused.value.pointer == pointer


def test_a_search_that_fits_the_space_exactly_is_taken(
    control_plane: ControlPlane, supernet: Job
) -> None:
    for limit, population in ((MOST, 3), (LEAST, 1)):
        params = {"macs_limit": limit, "population": population, "mutations": 0, "crossovers": 0}
        submitted(control_plane, a_search(supernet, params=params))


def test_what_the_supernet_was_trained_with_narrows_the_search(
    control_plane: ControlPlane, agent: Agent
) -> None:
    supernet = a_supernet(control_plane, agent, params={"choices": FREE})
    large = {"population": 257, "generations": 1, "macs_limit": 6_457_024}
    pointer, message = refusal(control_plane, a_search(supernet, params=large))
    assert pointer == "/params/population"
    assert "population 257 is more than the 256 paths with at most 6,457,024" in message
    submitted(control_plane, a_search(supernet, params=large | {"population": 256}))
    pointer, message = refusal(control_plane, a_search(supernet, params={"macs_limit": LEAST}))
    assert pointer == "/params/macs_limit"
    assert "of the choices that the supernet was trained with, so that no candidate" in message
    given = {"candidates": ["00000000100000000000"], "macs_limit": 6_100_000}
    pointer, message = refusal(control_plane, a_search(supernet, params=given))
    assert pointer == "/params/candidates/0"
    assert "has 1 at place 8, where the supernet has 0" in message


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        ({"resources": {"hosts": 2}}, "/resources/hosts", "one host, not on 2"),
        ({"data": {"val_dir": "val"}}, "/data/train_dir", "data.train_dir beside val_dir"),
        ({"labels": MOST_OF_THEM, "params": {"workers": 2}}, "/labels", "has 64 labels, and its"),
        ({"recipe": "oneshot"}, "/checkpoint", "is of supernet oneshot, the job of oneshot"),
    ],
)
def test_a_search_of_another_kind_of_place_is_refused(
    control_plane: ControlPlane,
    supernet: Job,
    fields: dict[str, Any],
    pointer: str,
    message: str,
) -> None:
    refused_at, said = refusal(control_plane, a_search(supernet, **fields))
    assert refused_at == pointer
    assert message in said


def test_a_search_takes_the_weights_of_its_checkpoint_alone(
    control_plane: ControlPlane, supernet: Job
) -> None:
    checkpoint = {"job": supernet.id, "state": "full"}
    pointer, message = refusal(control_plane, a_search(supernet, checkpoint=checkpoint))
    assert pointer == "/checkpoint/state"
    assert "leave state out" in message


def test_a_search_by_one_worker_may_have_all_labels(
    control_plane: ControlPlane, supernet: Job
) -> None:
    assert submitted(control_plane, a_search(supernet, labels=MOST_OF_THEM)).labels == MOST_OF_THEM


def test_data_of_other_classes_are_refused(control_plane: ControlPlane, agent: Agent) -> None:
    supernet = a_supernet(control_plane, agent, num_classes=3)
    pointer, message = refusal(control_plane, a_search(supernet))
    assert pointer == "/checkpoint"
    assert "has 3 classes, the data 10" in message


def test_a_known_search_must_have_measured_in_the_same_way(
    control_plane: ControlPlane, agent: Agent, supernet: Job
) -> None:
    known = submitted(control_plane, a_search(supernet))
    agent.beat(agent.claimed(), found(1, a_candidate(0), a_candidate(1)))
    own = {"known": known.id, "seed": 7, "at_once": 1, "fitness": "loss", "generations": 3}
    search = submitted(control_plane, a_search(supernet, params=own))
    claim = agent.claimed()
    assert (claim.job_id, len(claim.candidates)) == (search.id, 2)
    other = {"known": known.id, "fitness_images": 9, "recalibration": "moving"}
    pointer, message = refusal(control_plane, a_search(supernet, params=other))
    assert pointer == "/params/known"
    assert (
        "its recalibration is cumulative, this one's moving; its fitness_images is 8000, "
        in message
    )
    pointer, message = refusal(control_plane, a_search(supernet, params={"known": supernet.id}))
    assert "is a job of kind train: name a search" in message


def test_a_dry_run_tells_what_there_is_to_choose_from(
    control_plane: ControlPlane, supernet: Job
) -> None:
    body = a_search(supernet, params={"macs_limit": LEAST, "population": 1} | NO_CHANGES)
    with control_plane.database.read() as tx:
        hints = explain(tx, Submission.model_validate(body).root).hints
    said = {(hint.pointer, hint.level): hint.detail for hint in hints}
    assert "flattering" in said["/params/holdout_every", "warning"]
    assert "only 1 paths are within the limit" in said["/params/macs_limit", "warning"]
    assert "5.5 to 8.1 M multiply-adds" in said["/params/macs_limit", "note"]


def test_a_worker_of_an_older_version_gets_no_search(
    control_plane: ControlPlane, supernet: Job, new_agent: Callable[..., Agent]
) -> None:
    job = submitted(control_plane, a_search(supernet))
    assert new_agent().claim() is None
    assert SUPERNET["recipe"] == job.recipe
