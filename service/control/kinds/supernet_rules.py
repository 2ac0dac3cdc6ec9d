"""What may be asked of a supernet, which is many networks in one."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from service.contract.exchange import ExportFormat
from service.contract.path_sampling import SAMPLING, sampling_problem
from service.control.scheduling.catalogs import form_of
from service.domain.errors import Unprocessable

OF_ONE_NETWORK: tuple[ExportFormat, ...] = ("onnx", "torch_export")
"""The formats that hold one network, and no supernet."""


def require_sampled_paths(tx: Connection, recipe: str, params: Mapping[str, Any]) -> None:
    """Raises Unprocessable if the training of a supernet could draw no path; others are not asked.

    The worker's own parameters refuse the same.
    """
    if SAMPLING not in params:
        # So a training of one network costs no statement more.
        return
    supernet = form_of(tx, recipe)
    paths = supernet.recipe.path_recipe if supernet is not None else None
    form = form_of(tx, paths) if paths is not None else None
    if supernet is None or form is None:
        return
    space = form.recipe.for_paths_of(supernet.recipe).search_space
    problem = sampling_problem(space, params) if space is not None else None
    if problem is not None:
        raise Unprocessable("no_path", problem.message, f"/params/{problem.field}")


def require_one_network(tx: Connection, recipe: str) -> None:
    """Raises Unprocessable for the eval of a supernet."""
    if _path_recipe(tx, recipe) is None:
        return
    message = (
        f"a {recipe} is many networks in one, and has no error of its own: search it, or name "
        "paths as candidates of a search"
    )
    raise Unprocessable("many_networks", message, "/checkpoint")


def require_format(tx: Connection, recipe: str, form: ExportFormat) -> None:
    """Raises Unprocessable if the format holds one network, and the checkpoint has many."""
    paths = _path_recipe(tx, recipe) if form in OF_ONE_NETWORK else None
    if paths is None:
        return
    message = (
        f"a {recipe} is many networks in one, and {form} holds one: search it, or score a path as "
        f"the one candidate of a search, and export the {paths} that it leaves; or export the "
        "whole as pth.tar or safetensors"
    )
    raise Unprocessable("many_networks", message, "/format")


def _path_recipe(tx: Connection, recipe: str) -> str | None:
    """The recipe of a supernet's paths; None for one that is no supernet, or that nobody has."""
    form = form_of(tx, recipe)
    return form.recipe.path_recipe if form is not None else None
