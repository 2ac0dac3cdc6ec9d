"""Specs as the control plane stores them: complete, from the built-in catalog."""

from collections.abc import Mapping
from typing import Any

from service.contract.catalog import builtin_catalog
from service.contract.specs import EvalSpec, TrainSpec
from service.contract.submissions import Submission
from service.domain.networks import complete

SPEC: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {"batch_size": 32},
}
"""The body of a training that every server takes."""
UNCLAIMED: dict[str, Any] = SPEC | {"resources": {"labels": {"agent": "nobody"}}}
"""The body of a training that no worker of a test takes."""


def submission(body: Mapping[str, Any]) -> TrainSpec | EvalSpec:
    """The body of a train or an eval as `POST /jobs` has it."""
    spec = Submission.model_validate(body).root
    assert isinstance(spec, TrainSpec | EvalSpec)
    return spec


def complete_spec(body: Mapping[str, Any]) -> TrainSpec | EvalSpec:
    """A train or an eval that names its recipe, with its variant and every parameter."""
    spec = submission(body)
    recipe = builtin_catalog().recipe(spec.recipe or "")
    assert recipe is not None, f"{spec.recipe} is no built-in recipe"
    return complete(spec, recipe, spec.variant)
