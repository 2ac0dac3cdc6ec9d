"""What parameters say of each other: the form of a recipe refuses what the worker would refuse."""

from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from workers.recipes.table import recipe_named

ONESHOT = recipe_named("oneshot")
FORM = jsonschema.Draft202012Validator(ONESHOT.info().parameters)


@pytest.mark.parametrize(
    "params",
    [
        {"batch_norm": "synchronised", "compile": "on"},
        {"parity": True, "precision": "bf16"},
        {"parity": True, "compile": "on"},
        {"decode_on": "device", "augment_on": "loader"},
    ],
    ids=repr,
)
def test_parameters_that_do_not_go_together_are_refused_by_form_and_worker(
    params: dict[str, Any],
) -> None:
    assert not FORM.is_valid(params)
    with pytest.raises(ValidationError):
        ONESHOT.params(**params)


@pytest.mark.parametrize(
    "params",
    [
        {"batch_norm": "synchronised"},
        {"batch_norm": "synchronised", "compile": "off"},
        {"batch_norm": "local", "compile": "on"},
        {"parity": True, "precision": "fp32"},
        {"decode_on": "device", "augment_on": "device"},
    ],
    ids=repr,
)
def test_parameters_that_go_together_are_taken_by_form_and_worker(params: dict[str, Any]) -> None:
    FORM.validate(params)
    ONESHOT.params(**params)
