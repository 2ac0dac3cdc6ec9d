"""What a worker tells of its recipes: the shipped file, the published sizes, the forms."""

import subprocess
import sys

import pytest

from api_tests.facts.published import MODELS
from service.contract.catalog import builtin_catalog
from workers.recipes.catalog import builtin
from workers.recipes.table import BUILTIN

_TORCH = "import sys; import {module}; sys.exit('torch' in sys.modules)"
_FREE = (
    *(type(recipe.params()).__module__ for recipe in BUILTIN),
    "workers.recipes.catalog",
    "workers.recipes",
    "workers.main",
)


def test_the_shipped_catalog_is_what_a_worker_of_this_version_tells() -> None:
    remedy = "run python -m workers.recipes.catalog"
    assert builtin_catalog().model_dump(mode="json") == builtin().model_dump(mode="json"), remedy


@pytest.mark.parametrize("module", _FREE)
def test_whoever_asks_what_a_recipe_is_loads_no_torch(module: str) -> None:
    subprocess.run([sys.executable, "-c", _TORCH.format(module=module)], check=True)


def test_the_sizes_that_recipes_state_are_the_published_ones() -> None:
    stated = {
        f"{recipe.name} {variant}": tuple(size.model_dump().values())
        for recipe in BUILTIN
        for variant, size in recipe.variants.items()
        if size is not None
    }
    assert stated == {
        name: (facts["params"], facts["params_without_aux_heads"], facts["macs_224"])
        for name, facts in MODELS.items()
    }


def test_every_parameter_in_a_schema_has_a_description_and_a_default() -> None:
    for recipe in builtin().recipes:
        for name, field in recipe.parameters["properties"].items():
            assert field["description"], (recipe.name, name)
            assert "default" in field, (recipe.name, name)
