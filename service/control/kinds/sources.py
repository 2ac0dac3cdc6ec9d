"""The checkpoint that a train or an eval starts from, and the network that follows from it."""

from typing import TypeVar

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.counts import count_text
from service.contract.specs import CheckpointRef, NetworkSpec, SearchSpec
from service.control.scheduling.catalogs import recipe_named, recipes
from service.domain.errors import Unprocessable
from service.domain.networks import Spec, complete, named_as_stored
from service.store import checkpoints, jobs

Reference = TypeVar("Reference", CheckpointRef, CheckpointRef | None)


def located(tx: Connection, reference: Reference, field: str) -> Reference:
    """The reference as it is stored: the network that a search has left, by its id.

    Raises Unprocessable.
    """
    if reference is None or reference.search is None:
        return reference
    search = jobs.get(tx, reference.search)
    pointer = f"{field}/search"
    if search is None:
        raise Unprocessable("no_such_job", f"there is no job {reference.search}", pointer)
    if search.job.kind != "search":
        message = f"{reference.search} is a job of kind {search.job.kind}: name it in job"
        raise Unprocessable("no_search", message, pointer)
    if search.job.latest_checkpoint is None:
        message = (
            f"{reference.search} is {search.job.state} and has left no network: submit again when "
            'it has succeeded, or train its best path so far anew, by "variant": {"search": '
            f'"{reference.search}"}}'
        )
        raise Unprocessable("no_checkpoint", message, pointer)
    update = {"id": search.job.latest_checkpoint, "search": None}
    return reference.model_copy(update=update)


def source_of(tx: Connection, reference: CheckpointRef | None, field: str) -> Checkpoint | None:
    """The checkpoint that a reference names, locked until the transaction ends.

    None without a reference, and for a file, which the worker looks for. `field` is the JSON
    pointer to the reference. Raises Unprocessable.
    """
    if reference is None or reference.file is not None:
        return None
    checkpoint_id = reference.id or _of_job(tx, reference, field)
    source = checkpoints.get(tx, checkpoint_id, lock=True)
    if source is None:
        message = f"there is no checkpoint {checkpoint_id}"
        raise Unprocessable("no_such_checkpoint", message, f"{field}/id")
    if source.state != "published":
        message = f"checkpoint {checkpoint_id} is {source.state}; name another one"
        raise Unprocessable("checkpoint_unusable", message, field)
    return source


def with_network(tx: Connection, spec: Spec, source: Checkpoint | None, field: str) -> Spec:
    """The spec with recipe, variant and every parameter; what is left out is the source's.

    Raises Unprocessable, InvalidFields.
    """
    if source is None:
        return complete(spec, recipe_named(tx, _recipe_of(tx, spec)), spec.variant)
    recipe = recipe_named(tx, source.recipe)
    spec = spec.model_copy(update={"variant": named_as_stored(recipe, spec.variant)})
    require_network(spec, source, field)
    return complete(spec, recipe, source.variant)


def require_network(spec: NetworkSpec | SearchSpec, source: Checkpoint | None, field: str) -> None:
    """Raises Unprocessable if the spec names another network than its source has."""
    if source is None:
        return
    named = (spec.recipe or source.recipe, spec.variant or source.variant)
    if named != (source.recipe, source.variant):
        job = " ".join(name for name in (spec.recipe, spec.variant) if name is not None)
        message = (
            f"checkpoint {source.id} is of {source.recipe} {source.variant}, "
            f"the job of {job}; set recipe and variant to the checkpoint's"
        )
        raise Unprocessable("other_network", message, field)


def require_classes(
    source: Checkpoint, classes: int | None, field: str, *, may_replace: bool
) -> None:
    """Raises Unprocessable if the data's classes are not those of the source's head.

    `may_replace` is whether `head` could be set to replace it.
    """
    # A manifest of another version may not say it: the worker reads the weights themselves.
    trained = (source.manifest or {}).get("num_classes")
    if classes is None or trained is None or trained == classes:
        return
    hint = ", or set head to replace" if may_replace else ""
    classes_then = count_text(trained, "class", "classes")
    message = (
        f"checkpoint {source.id} has {classes_then}, the data {classes}; "
        f"use data with {classes_then}{hint}"
    )
    raise Unprocessable("class_count", message, field)


def _recipe_of(tx: Connection, spec: NetworkSpec) -> str:
    if spec.recipe is not None:
        return spec.recipe
    names = ", ".join(recipe.name for recipe in recipes(tx))
    raise Unprocessable("no_recipe", f"name a recipe; there are {names}", "/recipe")


def _of_job(tx: Connection, reference: CheckpointRef, field: str) -> str:
    assert reference.job is not None
    stored = jobs.get(tx, reference.job)
    if stored is None:
        raise Unprocessable("no_such_job", f"there is no job {reference.job}", f"{field}/job")
    job = stored.job
    chosen = job.latest_checkpoint if reference.which == "latest" else job.best_checkpoint
    if chosen is None:
        what = "checkpoint" if reference.which == "latest" else "validated checkpoint"
        message = f"{reference.job} has no {what} yet; submit again when it has one"
        raise Unprocessable("no_checkpoint", message, f"{field}/job")
    return chosen
