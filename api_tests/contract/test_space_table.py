"""Which of a recipe's spaces an architecture is of, and the one text that it has."""

import re

import pytest

from api_tests.support.specs import SPEC, submission
from service.contract.architectures import Architecture
from service.contract.catalog import RecipeInfo, builtin_catalog
from service.contract.space_table import SpaceTable
from workers.recipes.detnas.space import SPACES as DETNAS
from workers.recipes.oneshot.space import SPACE as ONESHOT
from workers.recipes.shufflenet_v2_plus.space import SPACES as PLUS

FEW, MANY = "0123" * 5, "0123" * 10


@pytest.mark.parametrize(
    ("spaces", "blocks", "space", "variant"),
    [
        (DETNAS, FEW, None, f"b{FEW}"),
        (DETNAS, FEW, "300M", f"b{FEW}"),
        (DETNAS, MANY, None, f"b{MANY}"),
        (DETNAS, FEW, "300M.path", f"300M.path-b{FEW}"),
        (DETNAS, MANY, "1.3G.path", f"1.3G.path-b{MANY}"),
        (DETNAS, "21202112331300313132", None, "COCO_FPN_300M"),
        (DETNAS, "21202112331300313132", "300M.path", "300M.path-b21202112331300313132"),
        (PLUS, FEW, "medium", f"medium-b{FEW}"),
        (PLUS, "00311100202110202132", "large", "large"),
        ((ONESHOT,), FEW, None, f"b{FEW}"),
    ],
)
def test_an_architecture_has_one_text_and_that_text_means_it(
    spaces: tuple[object, ...], blocks: str, space: str | None, variant: str
) -> None:
    table = SpaceTable(spaces)  # type: ignore[arg-type]
    assert table.variant(Architecture.of(blocks, space=space)) == variant
    found = table.find(variant)
    assert found is not None
    assert found.architecture.blocks == blocks
    assert found.space.variant(found.architecture) == variant
    assert len(variant) <= 64


@pytest.mark.parametrize(
    ("spaces", "architecture", "field", "detail"),
    [
        (DETNAS, Architecture.of("0" * 19), "blocks", "20 .300M. or 40 .1.3G. digits.*are 19"),
        (DETNAS, Architecture.of("0" * 19 + "4"), "blocks", "20 digits of 0 to 3.*19 is 4"),
        (DETNAS, Architecture.of(FEW, space="1.3G"), "blocks", "40 digits.*these are 20"),
        (DETNAS, Architecture.of(MANY, space="3.8G"), "space", "one of 300M, 1.3G, 300M.path"),
        (DETNAS, Architecture(FEW, "3" * 20), "channels", "leave channels out"),
        (PLUS, Architecture.of(FEW), "space", "space must be one of small, medium, large"),
        (PLUS, Architecture.of("0" * 19, space="small"), "blocks", "20 digits.*are 19"),
        ((ONESHOT,), Architecture.of(FEW, space="x"), "space", "space must be left out"),
        ((ONESHOT,), Architecture.of("0" * 19), "blocks", "20 digits of 0 to 3.*are 19"),
    ],
)
def test_what_is_no_architecture_says_which_field_is_wrong(
    spaces: tuple[object, ...], architecture: Architecture, field: str, detail: str
) -> None:
    table = SpaceTable(spaces)  # type: ignore[arg-type]
    problem = table.problem(architecture)
    assert problem is not None
    assert problem[0] == field
    assert re.search(detail, problem[1])
    assert table.find(architecture.text) is None


def test_a_space_is_named_beside_its_blocks() -> None:
    sent = SPEC | {"variant": {"space": "medium", "blocks": FEW}}
    assert submission(sent).variant == f"medium-b{FEW}"
    assert Architecture.parse(f"medium-b{FEW}") == Architecture.of(FEW, space="medium")
    assert Architecture.parse(f"a space-b{FEW}") is None


def test_the_form_of_a_recipe_without_several_spaces_is_what_it_was() -> None:
    forms = {recipe.name: recipe.model_dump() for recipe in builtin_catalog().recipes}
    assert set(forms["oneshot"]["search_space"]) == {"stem", "stages", "last", "named"}
    older = {"search_spaces", "path_space"}
    assert not older & (forms["oneshot"].keys() | forms["shufflenet_v2"].keys())
    # A server of before reads the form, and has its named variants.
    assert "search_space" not in forms["detnas"]
    assert RecipeInfo.model_validate(forms["detnas"]).spaces.spaces == DETNAS


@pytest.mark.parametrize("variant", [f"small-b3{FEW[1:]}", f"large-b{FEW[:4]}3{FEW[5:]}"])
def test_what_the_original_cannot_compute_is_told_with_what_to_do(variant: str) -> None:
    problem = SpaceTable(PLUS).original_problem(variant)
    assert problem is not None
    assert "no unit of choice 3 can begin a stage" in problem
    assert "export it as safetensors, onnx or torch_export" in problem


@pytest.mark.parametrize("variant", [f"small-b{FEW}", "large", "b1"])
def test_what_the_original_can_compute_has_no_problem(variant: str) -> None:
    # Also with xception units, where the stride is 1.
    assert SpaceTable(PLUS).original_problem(variant) is None
