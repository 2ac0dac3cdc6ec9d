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
        ({"recipe": "oneshot", "variant": "b" + "0" * 20}, True),
        ({"recipe": "oneshot", "variant": "b" + "0" * 19}, False),
        ({"recipe": "oneshot", "variant": {"blocks": "0" * 20}}, True),
        ({"recipe": "oneshot", "variant": {"blocks": "0" * 19 + "4"}}, False),
        ({"recipe": "oneshot", "variant": {"blocks": "0" * 20, "channels": "8" * 20}}, False),
        ({"recipe": "oneshot", "variant": {"blocks": "0" * 20, "width": 1}}, False),
        ({"recipe": "shufflenet_v2", "variant": {"blocks": "0" * 20}}, False),
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


@pytest.mark.parametrize(
    ("fields", "is_valid"),
    [
        ({"kind": None}, False),
        ({"data": {}}, False),
        ({"data": {"dataset": "digits", "train_dir": "t"}}, False),
        ({"data": {"val_dir": "v"}}, False),
        ({"data": {"train_dir": "t", "val_dir": "v", "dataset": None}}, True),
        ({"data": {"train_dir": "../t", "val_dir": "v"}}, False),
        ({"data": {"train_dir": "t..", "val_dir": "a/../v"}}, False),
        ({"data": {"train_dir": "/t", "val_dir": "v"}}, False),
        ({"name": "a\0b"}, False),
        ({"labels": {"a:b": "c"}}, False),
        ({"labels": {"a.b": "c"}}, True),
        ({"priority": True}, False),
        ({"init_from": {"id": "a", "job": "b"}}, False),
        ({"init_from": {}}, False),
        ({"init_from": {"job": "b", "file": None}}, True),
    ],
)
def test_the_document_has_the_rules_that_the_server_has(
    document: dict[str, Any], http: httpx.Client, fields: dict[str, Any], is_valid: bool
) -> None:
    schema = {"$ref": "#/components/schemas/Submission", "components": document["components"]}
    body = {"recipe": "oneshot", **TRAIN, **fields}
    if fields.get("kind", "") is None:
        del body["kind"]
    assert Draft202012Validator(schema).is_valid(body) is is_valid
    answer = http.post("/jobs?validate_only=true", json=body)
    assert (answer.json().get("code") != "invalid") is is_valid, answer.text


def test_every_operation_names_its_refusals_as_problem_documents(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            responses = operation["responses"]
            expected = {"401", "403", "422", "500", "503"}
            expected |= {"400", "408", "413", "415"} if "requestBody" in operation else set()
            expected |= {"404"} if "{" in path else set()
            assert responses.keys() >= expected, (method, path)
            for status, response in responses.items():
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"], (path, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_document_says_which_operations_need_the_token(document: dict[str, Any]) -> None:
    open_paths = {
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if operation.get("security") == []
    }
    assert open_paths == {"/healthz", "/readyz", "/session"}
    schemes = document["components"]["securitySchemes"]
    assert {name: each["type"] for name, each in schemes.items()} == {
        "token": "http",
        "session": "apiKey",
    }
    assert document["security"] == [{}, {"token": []}, {"session": []}]


def test_a_submission_that_is_only_validated_is_documented(document: dict[str, Any]) -> None:
    submit = document["paths"]["/jobs"]["post"]
    assert "validate_only" in submit["description"]
    forms = submit["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    names = {form["$ref"].rsplit("/", 1)[1] for form in forms}
    assert names == {"Job", "TrainSpec", "EvalSpec", "CheckDataSpec", "SearchSpec", "Explanation"}
