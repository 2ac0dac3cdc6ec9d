"""The recipes and data sets that workers have told of, the built-in ones among them."""

from difflib import get_close_matches

from sqlalchemy import Connection

from service.contract.catalog import DatasetInfo, RecipeInfo, builtin_catalog
from service.domain.errors import Unprocessable


def recipes(_: Connection) -> list[RecipeInfo]:
    """Every recipe that may be submitted."""
    return list(builtin_catalog().recipes)


def datasets(_: Connection) -> list[DatasetInfo]:
    """Every data set that may be named."""
    return list(builtin_catalog().datasets)


def recipe_named(tx: Connection, name: str, pointer: str = "/recipe") -> RecipeInfo:
    """The recipe of a name; raises Unprocessable, naming those there are."""
    known = {recipe.name: recipe for recipe in recipes(tx)}
    if name in known:
        return known[name]
    message = f"there is no recipe {name!r}; there are {', '.join(known)}{_nearest(name, known)}"
    raise Unprocessable("no_such_recipe", message, pointer)


def dataset_named(tx: Connection, name: str, pointer: str = "/data/dataset") -> DatasetInfo:
    """The data set of a name; raises Unprocessable, naming those there are."""
    known = {dataset.name: dataset for dataset in datasets(tx)}
    if name in known:
        return known[name]
    message = f"there is no data set {name!r}; there is {', '.join(known)}"
    raise Unprocessable("no_such_dataset", message, pointer)


def _nearest(name: str, known: dict[str, RecipeInfo]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
