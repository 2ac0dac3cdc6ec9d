"""The end of a search: its best path as a checkpoint, its files, and its result."""

from typing import Any

from torch import Tensor, nn

from service.contract.architectures import Architecture
from service.contract.candidates import Candidate, Fitness
from service.contract.checkpoints import Manifest
from workers.data.fingerprint import RunData
from workers.search.evolution import order_key
from workers.search.files import write_search
from workers.search.fitness import measured_to_keep
from workers.search.measuring import Measuring
from workers.search.publication import FoundNetwork, publish, published_before
from workers.search.supernet import Supernet
from workers.training.run_context import RunContext


def finish(
    context: RunContext,
    supernet: Supernet,
    network: nn.Module,
    measuring: Measuring,
    data: RunData,
    end: str,
) -> dict[str, Any]:
    """Publish the best candidate's own network, write the files, and give the result.

    `evaluated` counts candidates, `distinct` the different values of their fitness: few mean that
    the images are too few to tell the candidates apart. Of a search that publishes nothing the
    result is without a checkpoint. Raises NonFiniteLoss, Stopped.
    """
    table, params = measuring.table, measuring.params
    best = min(table, key=lambda each: (*order_key(each, params.fitness), each.order))
    variant = supernet.space.variant(Architecture.of(best.blocks))
    result = {
        "best": best.model_dump(mode="json"),
        "recipe": supernet.paths.name,
        "variant": variant,
        "evaluated": len(table),
        "distinct": len({order_key(each, params.fitness) for each in table}),
        "ended": end,
    }
    metrics = _metrics(best)
    if params.publish:
        manifest = published_before(context, supernet.paths.name, variant, supernet.manifest)
        if manifest is None:
            manifest = _publish(context, supernet, network, measuring, best, data)
        if manifest is not None:
            metrics, result["checkpoint_id"] = dict(manifest.metrics), manifest.checkpoint_id
    if not context.ranks.is_first:
        return result
    stages = [units for _, units in supernet.space.stages]
    most = measuring.costs.most(supernet.recipe.choices(supernet.params))
    with context.times.on("save"):
        folder = context.attempt_folder / "files"
        files = write_search(folder, table, best, params, result, stages, most)
    return {**result, **metrics, "files": files}


def _publish(
    context: RunContext,
    supernet: Supernet,
    network: nn.Module,
    measuring: Measuring,
    best: Candidate,
    data: RunData,
) -> Manifest | None:
    """Publish the best candidate's own network; None at the ranks that do not write."""
    tensors, fitness = _own_network(context, supernet, network, measuring, best)
    if not context.ranks.is_first:
        return None
    variant = supernet.space.variant(Architecture.of(best.blocks))
    found = FoundNetwork(supernet.paths.name, variant, tensors, _metrics(fitness))
    with context.times.on("save"):
        return publish(context, found, supernet.manifest, data, supernet.mean)


def _own_network(
    context: RunContext,
    supernet: Supernet,
    network: nn.Module,
    measuring: Measuring,
    best: Candidate,
) -> tuple[dict[str, Tensor], Fitness]:
    """The state dict of the best path, with statistics of its own, and what it is measured as."""
    batches = measuring.batches
    with context.times.on("validation"):
        fitness = measured_to_keep(
            supernet.recipe.parts(network),
            best.blocks,
            batches.recalibration(),
            batches.labelled(),
            measuring.params.recalibration,
            batches.goes_on,
        )
    if fitness != Fitness.model_validate(best.model_dump(include=set(Fitness.model_fields))):
        context.events.note(
            f"the best path has a top-1 error of {fitness.top1_error:.4f} here and had "
            f"{best.top1_error:.4f}: it was measured on another device, or on changed images"
        )
    return supernet.recipe.tensors_of_path(network.state_dict(), best.blocks), fitness


def _metrics(fitness: Fitness) -> dict[str, float]:
    metrics = fitness.model_dump(include={"top1_error", "top5_error", "loss"})
    return {name: value for name, value in metrics.items() if value is not None}
