"""Parameters are checked and completed by the schema that a recipe brings."""

from typing import Any

import pytest

from service.contract.catalog import RecipeInfo, builtin_catalog
from service.domain.errors import InvalidFields
from service.domain.parameters import LIMIT_BYTES, complete_parameters, is_accepted

ONESHOT = builtin_catalog().recipes[0]


def a_recipe(**properties: Any) -> RecipeInfo:
    schema = {"type": "object", "properties": properties}
    return RecipeInfo(name="tiny", title="Tiny", variants=("one",), parameters=schema)


def problems(recipe: RecipeInfo, **given: Any) -> dict[str, str]:
    with pytest.raises(InvalidFields) as refused:
        complete_parameters(recipe, given)
    return {each.pointer: each.detail for each in refused.value.errors}


def test_a_default_that_a_job_changes_is_its_own() -> None:
    recipe = a_recipe(sizes={"default": [1, 2]})
    complete_parameters(recipe, {})["sizes"].append(3)
    assert complete_parameters(recipe, {}) == {"sizes": [1, 2]}


@pytest.mark.parametrize("recipe", builtin_catalog().recipes, ids=lambda recipe: recipe.name)
def test_every_parameter_that_is_left_out_takes_its_default(recipe: RecipeInfo) -> None:
    complete = complete_parameters(recipe, {"batch_size": 32})
    properties = recipe.parameters["properties"]
    defaults = {name: each["default"] for name, each in properties.items()}
    assert complete == defaults | {"batch_size": 32}
    assert list(complete) == list(properties)


@pytest.mark.parametrize(
    ("given", "completed"),
    [
        ({"learning_rate": 1}, 1.0),
        ({"learning_rate": "0.25"}, 0.25),
        ({"total_iters": "300"}, 300),
        ({"total_iters": 300.0}, 300),
        ({"dropout": 0}, 0.0),
        ({"dropout": None}, None),
        ({"num_classes": "7"}, 7),
        ({"mean_image": "300"}, "300"),
        ({"data_workers": "auto"}, "auto"),
        ({"data_workers": 3}, 3),
    ],
)
def test_a_number_is_kept_as_the_type_that_the_recipe_has(
    given: dict[str, Any], completed: Any
) -> None:
    (name,) = given
    value = complete_parameters(ONESHOT, given)[name]
    assert (value, type(value)) == (completed, type(completed))


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("image_size", 100, "image_size must be a multiple of 32: 100 is not; use 96 or 128"),
        ("data_workers", "4", 'data_workers must be "auto" or a whole number: "4" is not'),
        ("data_workers", True, 'data_workers must be "auto" or a whole number: true is not'),
        (
            "data_workers",
            65,
            "data_workers must be less than or equal to 64: 65 is not; use 64 or less",
        ),
        (
            "batch_size",
            0,
            "batch_size must be greater than or equal to 1: 0 is not; use 1 or more",
        ),
        (
            "seed",
            2**31,
            "seed must be less than or equal to 2147483647: 2147483648 is not; "
            "use 2147483647 or less",
        ),
        ("image_size", 1, "image_size must be greater than or equal to 32: 1 is not"),
        ("learning_rate", 0, "learning_rate must be greater than 0: 0.0 is not"),
        ("momentum", 1, "momentum must be less than 1: 1.0 is not"),
        ("dropout", 1, "dropout must be less than 1: 1.0 is not"),
        ("dropout", "x", 'dropout must be a number or null: "x" is not'),
        ("total_iters", True, "total_iters must be a whole number: true is not; as in 300000"),
        ("total_iters", None, "total_iters must be a whole number: null is not"),
        ("total_iters", 300.5, "total_iters must be a whole number: 300.5 is not"),
        ("learning_rate", True, "learning_rate must be a number: true is not; as in 0.5"),
        ("learning_rate", float("nan"), "learning_rate must be a finite number"),
        ("momentum", float("inf"), "momentum must be a finite number"),
        ("total_iters", 10**400, "total_iters must be a finite number"),
        (
            "preprocessing",
            "bgr255_minus_means",
            "preprocessing must be one of bgr255, bgr_normalized, bgr255_minus_mean: "
            '"bgr255_minus_means" is not; did you mean bgr255_minus_mean?',
        ),
        ("mean_image", "../x.npy", "'../x.npy' must be a path below the worker's data root"),
        ("mean_image", "/x.npy", "must be a path below the worker's data root"),
        ("mean_image", "x" * 256, "a name in a path has at most 255 bytes"),
        ("mean_image", "a\0b", "U+0000"),
        ("mean_image", "\ud800", "surrogate"),
        ("total_iter", 5, "this field is not known; did you mean total_iters?"),
        ("colour", 5, "this field is not known; oneshot has total_iters, batch_size"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_limit_and_what_to_change(
    name: str, value: Any, detail: str
) -> None:
    found = problems(ONESHOT, **{name: value})
    assert list(found) == [f"/params/{name}"]
    assert detail in found[f"/params/{name}"]


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "a/b~c"])
def test_a_name_that_is_no_text_is_refused_like_any_other(name: str) -> None:
    assert len(problems(ONESHOT, **{name: None})) == 1


def test_every_wrong_parameter_is_named_once() -> None:
    found = problems(ONESHOT, image_size=1, batch_size=0, colour="red")
    assert sorted(found) == ["/params/batch_size", "/params/colour", "/params/image_size"]


def test_a_parameter_that_another_one_asks_for_is_named_with_the_reason() -> None:
    found = problems(ONESHOT, preprocessing="bgr255_minus_mean")
    assert found == {
        "/params/mean_image": "preprocessing bgr255_minus_mean needs mean_image: a .xml or .npy "
        "file below the data root, for bgr255_minus_mean"
    }
    given = {"preprocessing": "bgr255_minus_mean", "mean_image": "mean.npy"}
    assert complete_parameters(ONESHOT, given)["mean_image"] == "mean.npy"


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        (True, "b must be given; it has no default"),
        ({"properties": {"a": True}}, "b must be given; it has no default"),
        ({"required": ["a"]}, "b must be given; it has no default"),
        ({"properties": {"a": {"minimum": 1}}}, "b must be given; it has no default"),
        ({"properties": {"a": {"enum": [1, 2]}}}, "a 1 or 2 needs b"),
    ],
)
def test_a_condition_of_any_form_is_told_as_far_as_it_can_be(condition: Any, problem: str) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {}, "b": {}},
        "if": condition,
        "then": {"required": ["b"]},
    }
    recipe = a_recipe().model_copy(update={"parameters": schema})
    assert problems(recipe, a=1) == {"/params/b": problem}


def test_a_parameter_without_a_default_must_be_given() -> None:
    schema = {"type": "object", "properties": {"depth": {"type": "integer"}}, "required": ["depth"]}
    recipe = a_recipe().model_copy(update={"parameters": schema})
    assert problems(recipe) == {"/params/depth": "depth must be given; it has no default"}
    assert complete_parameters(recipe, {"depth": 3}) == {"depth": 3}


def test_defaults_are_filled_in_where_a_parameter_is_an_object_of_its_own() -> None:
    schema = {
        "type": "object",
        "$defs": {
            "Loss": {
                "type": "object",
                "properties": {"weight": {"type": "number", "default": 1.0}},
                "additionalProperties": False,
            }
        },
        "properties": {"loss": {"$ref": "#/$defs/Loss", "default": {}}},
    }
    recipe = a_recipe().model_copy(update={"parameters": schema})
    assert complete_parameters(recipe, {"loss": {}}) == {"loss": {"weight": 1.0}}
    assert problems(recipe, loss={"wait": 2})["/params/loss/wait"].endswith("did you mean weight?")


def test_an_unknown_parameter_is_refused_though_the_schema_allows_it() -> None:
    assert "/params/b" in problems(a_recipe(a={"default": 1}), b=1)


def test_a_pattern_that_goes_back_for_ever_takes_no_time() -> None:
    recipe = a_recipe(word={"type": "string", "pattern": "^(a+)+$", "default": "a"})
    assert "pattern" in problems(recipe, word="a" * 50_000 + "!")["/params/word"]


@pytest.mark.parametrize("given", [{"a": "x" * LIMIT_BYTES}, {f"p{n}": n for n in range(20_000)}])
def test_parameters_are_bounded_in_size(given: dict[str, Any]) -> None:
    assert "bytes" in problems(ONESHOT, **given)["/params"]


@pytest.mark.parametrize("depth", [33, 600, 5000])
def test_values_nested_beyond_reason_are_refused(depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    assert "nested" in problems(ONESHOT, colour=deep)["/params"]


def test_parameters_of_another_form_are_accepted_where_they_fit() -> None:
    fewer = dict(ONESHOT.parameters["properties"])
    del fewer["dropout"]
    older = ONESHOT.model_copy(update={"parameters": ONESHOT.parameters | {"properties": fewer}})
    params = complete_parameters(older, {})
    assert is_accepted(ONESHOT, params)
    assert not is_accepted(older, complete_parameters(ONESHOT, {}))
