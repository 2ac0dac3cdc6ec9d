"""The search of a supernet for its best path, or the measuring of given paths."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from service.contract.path_costs import PathCosts
from service.contract.search_params import SearchParams
from service.contract.specs import SearchSpec
from workers.data.classes import difference, in_class_order
from workers.data.errors import InvalidData
from workers.data.fingerprint import RunData, changes_of, read_run_data
from workers.runs.datasets import RunSplit, open_held_out, open_run_split, require_same_images
from workers.search.allowed_paths import AllowedPaths
from workers.search.batches import SearchBatches
from workers.search.evolution import evolve
from workers.search.found import finish
from workers.search.given_paths import ALL_GIVEN, given_paths
from workers.search.measuring import Measuring
from workers.search.supernet import Supernet, supernet_of
from workers.training.eval_execution import prepare_eval
from workers.training.run_context import RunContext
from workers.training.weights import fill_for_eval, note_match


@dataclass(frozen=True)
class _Splits:
    """The images for the statistics, and those by which candidates are judged."""

    train: RunSplit
    fitness: RunSplit

    @property
    def data(self) -> RunData:
        both = {split.counts.name: split.fingerprint for split in (self.fitness, self.train)}
        return RunData(splits=both)


def run(context: RunContext) -> dict[str, Any]:
    """Search, publish the best path, and give the result; a search that goes on replays itself.

    Raises IncompatibleCheckpoint, InvalidData, NonFiniteLoss, Stopped.
    """
    spec = context.claim.spec
    assert isinstance(spec, SearchSpec)
    params = spec.params
    if context.ranks.device.type == "cpu":
        # Sums of several threads differ in their last digits, and with them would the table.
        torch.set_num_threads(1)
    # A slow volume may take one rank longer than ranks wait for each other.
    with context.ranks.apart():
        supernet = supernet_of(context, spec)
        splits = _open_splits(context, spec, supernet)
    for split in (splits.train, splits.fitness):
        require_same_images(context.ranks, split)
    network, batches = _filled(context, params, supernet, splits)
    classes = len(splits.train.images.class_names)
    costs = PathCosts.of(supernet.space, params.macs_image_size, classes)
    paths = _allowed(params, supernet, costs)
    given = given_paths(params, supernet.space)
    measuring = Measuring(
        context,
        params,
        parts=supernet.recipe.parts(network),
        batches=batches,
        costs=costs,
        known={fitness.blocks: fitness for fitness in context.claim.candidates},
        total=params.generations * params.population if given is None else len(given),
    )
    _report_start(context, splits, measuring.total)
    if given is None:
        end = evolve(params, paths, measuring)
    else:
        measuring(given)
        end = ALL_GIVEN
    return finish(context, supernet, network, measuring, splits.data, end)


def _open_splits(context: RunContext, spec: SearchSpec, supernet: Supernet) -> _Splits:
    params, mean = supernet.params, supernet.mean
    trained_with = supernet.recipe.holdout_every(params)
    asked = spec.params.holdout_every
    every = trained_with if asked is None else asked
    if every not in (0, trained_with):
        use = f"leave it out for {trained_with}, or use 0" if trained_with else "leave it out"
        raise InvalidData(
            f"holdout_every is {every}, and the supernet was trained with {trained_with}, so that "
            f"it has seen these images: {use}, for the validation split"
        )
    train = open_run_split(context, spec.data, "train", params, mean)
    _require_trained_images(context, train, every)
    if every:
        return _Splits(train, open_held_out(context, spec.data, params, mean, every))
    val = open_run_split(context, spec.data, "val", params, mean)
    wrong = difference(train.images.class_names, val.images.class_names, "val")
    if wrong:
        raise InvalidData(f"train and val have different classes: {wrong}")
    return _Splits(train, val)


def _require_trained_images(context: RunContext, train: RunSplit, every: int) -> None:
    """Raises InvalidData if it cannot be told any more which images were held out."""
    weights = context.claim.weights
    data = read_run_data(context.assignment.volume / weights.path) if weights is not None else None
    changed = {} if data is None else changes_of(data.splits, {"train": train.fingerprint})
    if not changed:
        return
    change = f"the training images are not those that the supernet has seen ({changed['train']})"
    if every:
        raise InvalidData(
            f"{change}, so that which were held out cannot be told: use holdout_every 0, for the "
            "validation split, or bring back the images"
        )
    context.events.note(f"{change}: what was measured of others would be another fitness")


def _filled(
    context: RunContext, params: SearchParams, supernet: Supernet, splits: _Splits
) -> tuple[nn.Module, SearchBatches]:
    """The network with the supernet's weights, on the device, and what its paths are shown."""
    training, class_names = supernet.params, splits.train.images.class_names
    network = supernet.recipe.build(supernet.manifest.variant, len(class_names), training)
    heads = supernet.recipe.heads
    remedy = "search them on the data that the supernet was trained with"
    order = fill_for_eval(network, supernet.weights, class_names, heads, context.events, remedy)
    note_match(context.events, order)
    network.to(context.ranks.device)
    # As an eval of the path's own network, and by the same kernels for each candidate.
    as_eval = {"precision": "fp32", "memory_format": "auto", "parity": False, "exact": True}
    computed = training.model_copy(update=as_eval)
    execution = prepare_eval(network, computed, context.ranks.device)
    batches = SearchBatches(
        context,
        params,
        training,
        train=in_class_order(splits.train.images, order.names),
        images=in_class_order(splits.fitness.images, order.names),
        execution=execution,
    )
    return network, batches


def _allowed(params: SearchParams, supernet: Supernet, costs: PathCosts) -> AllowedPaths:
    choices = supernet.recipe.choices(supernet.params)
    paths = AllowedPaths(costs, choices, params.macs_limit)
    if params.candidates is None and paths.is_empty:
        raise InvalidData(
            f"macs_limit {params.macs_limit} is below the {paths.least} multiply-adds of the "
            f"cheapest path at {params.macs_image_size} pixels: use at least {paths.least}"
        )
    return paths


def _report_start(context: RunContext, splits: _Splits, total: int) -> None:
    sentences = [splits.train.sentence, splits.fitness.sentence]
    counts = {split.counts.name: split.counts.model_dump() for split in vars(splits).values()}
    body = {"total_steps": total, "resumed_from": None, "step": 0, "data": sentences}
    line = f"started; {'; '.join(sentences)}"
    context.events.report("started", body | {"splits": list(counts.values())}, line)
