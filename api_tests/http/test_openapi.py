"""The OpenAPI document is valid, and says what a submission of each built-in recipe may have."""

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from service.contract.catalog import builtin_catalog

TRAIN: dict[str, Any] = {"kind": "train", "data": {"dataset": "digits"}}


@pytest.fixture
def document(http: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/openapi.json").json()
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_built_in_recipe_has_its_parameters_as_a_component(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["OneshotParams"] == builtin_catalog().recipes[0].parameters
    branches = schemas["Submission"]["allOf"][1]
    assert set(branches["discriminator"]["mapping"]) == {
        recipe.name for recipe in builtin_catalog().recipes
    }
    assert len(branches["oneOf"]) == len(builtin_catalog().recipes) + 1


@pytest.mark.parametrize(
    ("fields", "is_valid"),
    [
        ({"recipe": "oneshot"}, True),
        ({"recipe": "oneshot", "params": {"image_size": 96}}, True),
        ({"recipe": "oneshot", "params": {"image_size": 100}}, False),
        ({"recipe": "oneshot", "params": {"total_iter": 5}}, False),
        ({"recipe": "oneshot", "params": {"preprocessing": "bgr255_minus_mean"}}, False),
        ({"recipe": "shufflenet_v2", "variant": "1.0x"}, True),
        ({"recipe": "shufflenet_v2", "variant": "9.0x"}, False),
        ({"recipe": "mobilenet_v3", "params": {"depth": 3}}, True),
        ({}, True),
    ],
)
def test_a_submission_can_be_checked_with_the_document_alone(
    document: dict[str, Any], fields: dict[str, Any], is_valid: bool
) -> None:
    schema = {"$ref": "#/components/schemas/Submission", "components": document["components"]}
    assert Draft202012Validator(schema).is_valid(TRAIN | fields) is is_valid
