"""What may be made of a checkpoint: an eval, another training, a search, a file."""

from typing import Any, get_args

from service.contract.actions import JobAction
from service.contract.exchange import ExportFormat
from service.contract.jobs import Job
from service.contract.specs import SearchSpec, TrainSpec
from service.control.kinds.supernet_rules import OF_ONE_NETWORK
from service.control.scheduling.present_catalogs import BUILTIN


def uses_of_latest(job: Job, trained: TrainSpec | None) -> tuple[JobAction, ...]:
    """As `uses_of`, of the job's latest checkpoint; () without one."""
    checkpoint_id = job.latest_checkpoint
    return () if checkpoint_id is None else uses_of(checkpoint_id, job.recipe, trained)


def uses_of(
    checkpoint_id: str, recipe: str | None, trained: TrainSpec | None
) -> tuple[JobAction, ...]:
    """The actions eval, fine-tune and export; of a supernet's a search in place of the eval.

    Eval and search are on the data and on the resources of the training that saved it, if it was
    one.
    """
    is_supernet = _is_supernet(recipe)
    first = _search if is_supernet else _evaluation
    formats = get_args(ExportFormat)
    if is_supernet:
        formats = tuple(each for each in formats if each not in OF_ONE_NETWORK)
    fine_tune = {"kind": "train", "init_from": {"id": checkpoint_id}}
    return (
        first(checkpoint_id, trained),
        JobAction(name="fine_tune", path="/jobs", body=fine_tune, needs=("data",)),
        JobAction(
            name="export",
            path=f"/checkpoints/{checkpoint_id}/export",
            choices={"format": formats},
        ),
    )


def _is_supernet(recipe: str | None) -> bool:
    form = BUILTIN.offer.forms.get(recipe or "")
    return form is not None and form.recipe.path_recipe is not None


def _evaluation(checkpoint_id: str, trained: TrainSpec | None) -> JobAction:
    body: dict[str, Any] = {"kind": "eval", "checkpoint": {"id": checkpoint_id}}
    if trained is None:
        return JobAction(name="evaluate", path="/jobs", body=body, needs=("data",))
    return JobAction(name="evaluate", path="/jobs", body=body | _place_of(trained))


def _search(checkpoint_id: str, trained: TrainSpec | None) -> JobAction:
    body: dict[str, Any] = {"kind": "search", "checkpoint": {"id": checkpoint_id}}
    if trained is None:
        return JobAction(name="search", path="/jobs", body=body, needs=("data",))
    place = _place_of(trained)
    # A search runs on one host.
    return JobAction(
        name="search",
        path="/jobs",
        body=body | place | {"resources": place["resources"] | {"hosts": 1}},
    )


def train_longer(state_id: str, trained: TrainSpec) -> JobAction:
    """The action that goes on from a training state with momentum and position.

    The caller provides `params`: those of the training, with a larger `total_iters`.
    """
    start = {"kind": "train", "init_from": {"id": state_id, "state": "full"}}
    body = start | _place_of(trained)
    return JobAction(name="train_longer", path="/jobs", body=body, needs=("params",))


def train_found(search: Job, spec: SearchSpec) -> JobAction:
    """The training, from new weights, of the best path that a search has found.

    The caller may add to `params`, which else have the defaults of the path's recipe.
    """
    body = {"kind": "train", "variant": {"search": search.id}} | _place_of(spec)
    if "image_size" in spec.training:
        body["params"] = {"image_size": spec.training["image_size"]}
    return JobAction(name="train_found", path="/jobs", body=body)


def _place_of(trained: TrainSpec | SearchSpec) -> dict[str, Any]:
    return {
        "data": trained.data.model_dump(mode="json", exclude_none=True),
        "resources": trained.resources.model_dump(mode="json"),
    }
