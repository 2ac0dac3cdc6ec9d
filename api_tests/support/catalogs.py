"""Catalogs of workers that have more, or other, recipes than the built-in ones."""

from typing import Any

from api_tests.support.control_agent import Agent
from service.contract.catalog import Catalog, DatasetInfo, RecipeInfo, builtin_catalog
from service.control.scheduling import catalogs

PLANTS = DatasetInfo(
    name="plants",
    description="Leaves.",
    num_classes=3,
    train_images=100,
    val_images=10,
    licence="CC0 1.0",
    source="a garden",
)


def a_recipe(name: str = "mobilenet_v3", **properties: Any) -> RecipeInfo:
    """An installed recipe with `total_iters` and the given parameters."""
    return RecipeInfo(
        name=name,
        title="MobileNetV3 (arXiv:1905.02244).",
        variants=("small",),
        parameters={
            "type": "object",
            "properties": {
                "total_iters": {"type": "integer", "minimum": 1, "default": 100},
                "batch_size": {"type": "integer", "minimum": 1, "default": 32},
                **properties,
            },
            "additionalProperties": False,
        },
        package="plants",
    )


def oneshot_with_depth(maximum: int) -> RecipeInfo:
    """The built-in recipe in a form that has one parameter more."""
    (oneshot,) = (each for each in builtin_catalog().recipes if each.name == "oneshot")
    depth = {"type": "integer", "minimum": 1, "maximum": maximum, "default": 3}
    properties = oneshot.parameters["properties"] | {"depth": depth}
    return oneshot.model_copy(
        update={"parameters": oneshot.parameters | {"properties": properties}}
    )


def a_catalog(*recipes: RecipeInfo, **fields: Any) -> Catalog:
    """The built-in catalog with further recipes."""
    builtin = builtin_catalog()
    own = {recipe.name for recipe in recipes}
    others = tuple(recipe for recipe in builtin.recipes if recipe.name not in own)
    return builtin.model_copy(update={"recipes": (*others, *recipes)} | fields)


def put_catalog(agent: Agent, catalog: Catalog) -> None:
    """The worker sends its catalog."""
    with agent.control_plane.write() as tx:
        catalogs.put(tx, agent.id, catalog, agent.control_plane.now)
    # Of two that come at once neither is the newer one.
    agent.control_plane.later(1)
