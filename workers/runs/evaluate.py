"""The evaluation of a checkpoint, or of a file of weights, on validation data."""

from typing import Any

from torch import nn

from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.data.classes import in_class_order
from workers.data.images import ImageDataset
from workers.recipes.params import RecipeParams
from workers.runs.confusion_picture import confusion_png
from workers.runs.datasets import check_class_count, open_run_split, require_same_images
from workers.runs.predictions import Predictions, write_evaluation
from workers.training.data_wait import data_wait_of
from workers.training.data_wait_advice import advice_of
from workers.training.eval_batches import eval_batch_size
from workers.training.eval_execution import prepare_eval
from workers.training.evaluate import evaluate
from workers.training.loader_processes import loader_processes, room_for_processes
from workers.training.preprocessing import mean_to_evaluate_with
from workers.training.progress import validation_line
from workers.training.run_context import RunContext
from workers.training.weights import Weights, fill_for_eval, note_match, weights_of


def run(context: RunContext) -> dict[str, Any]:
    """See every image once and give the metrics.

    Raises IncompatibleCheckpoint, NonFiniteLoss, Stopped.
    """
    spec, events = context.claim.job_spec, context.events
    assert spec.checkpoint is not None
    if context.recipe.paths is not None:
        raise IncompatibleCheckpoint(
            f"{context.recipe.name} is many networks in one, and has no error of its own: the "
            "validations of its training measure some of them"
        )
    # A slow volume may take one rank longer than ranks wait for each other.
    with context.ranks.apart():
        weights = weights_of(context.assignment, spec.checkpoint, events)
        params = _as_trained(context, weights)
        mean = mean_to_evaluate_with(context.assignment, params, weights.manifest)
        val = open_run_split(context, spec.data, "val", params, mean)
    require_same_images(context.ranks, val)
    images = val.images
    check_class_count(params, images)
    network = context.recipe.build(context.variant, len(images.class_names), params)
    heads = context.recipe.heads
    order = fill_for_eval(network, weights, images.class_names, heads, events)
    data = {"data": [val.sentence], "splits": [val.counts.model_dump()]}
    started = {"total_steps": 1, "resumed_from": None, "step": 0, **data}
    events.report("started", started, f"started; {val.sentence}")
    note_match(events, order)
    return {
        **_measured(context, network, in_class_order(images, order.names), params),
        "classes_matched_by": order.matched_by,
        "image_size": params.image_size,
        "preprocessing": params.preprocessing,
    }


def _measured(
    context: RunContext, network: nn.Module, images: ImageDataset, params: RecipeParams
) -> dict[str, Any]:
    ranks, times, predictions = context.ranks, context.times, Predictions()
    batch_size = eval_batch_size(ranks.device, params.image_size)
    shares = {"batch_size": batch_size, "world_size": ranks.world_size}
    loaders = loader_processes(params, images, **shares)
    advice = advice_of(context, loaders, room_for_processes(params, images, **shares))
    waits = data_wait_of(ranks.device, times, "validation")

    def pulse() -> None:
        context.events.pulse()
        sentence = advice.after(times.spent())
        if sentence is not None:
            context.events.note(sentence)

    network.to(ranks.device)
    execution = prepare_eval(network, params, ranks.device)
    if execution.precision != "fp32":
        context.events.note(f"computes in {execution.precision}, as the eval's parameters say")
    began = context.clock()
    with times.on("validation"):
        metrics = evaluate(
            network,
            images,
            ranks,
            batch_size=batch_size,
            num_workers=loaders,
            stop_asked=context.stop_asked,
            pulse=pulse,
            execution=execution,
            on_batch=predictions.add,
            waiting=waits.measured,
        )
        waits.settle()
    seconds = context.clock() - began
    context.events.log(validation_line(None, metrics))
    with times.on("save"):
        predicted = predictions.gathered(ranks, len(images))
        files: dict[str, Any] = {}
        if ranks.is_first:
            files = write_evaluation(context.attempt_folder / "files", images, predicted)
            confusion = predicted.confusion(len(images.class_names))
            context.events.picture("confusion_matrix", *confusion_png(confusion))
    rate = metrics["samples"] / max(seconds, 1e-9)
    return {**metrics, **files, "images_per_second": rate}


def _as_trained(context: RunContext, weights: Weights) -> RecipeParams:
    """The eval's parameters with the preprocessing of the weights' manifest, always.

    Its image_size holds where the spec has the recipe's default: a spec has its defaults filled in,
    so that a user who named none, and one who named just the default, look the same.
    """
    params, manifest = context.params, weights.manifest
    if manifest is None:
        return params
    network = (context.recipe.name, context.variant)
    if (manifest.recipe, manifest.variant) != network:
        raise IncompatibleCheckpoint(
            f"the checkpoint is of {manifest.recipe} {manifest.variant}; "
            f"the job names {' '.join(network)}"
        )
    changes: dict[str, Any] = {"preprocessing": manifest.preprocessing}
    if params.image_size == type(params).model_fields["image_size"].default:
        changes["image_size"] = manifest.image_size
    for name, value in changes.items():
        if getattr(params, name) != value:
            context.events.note(f"{name} is {value}, as the checkpoint was trained with")
    return params.model_copy(update=changes)
