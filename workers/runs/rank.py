"""One rank of an attempt, from `spec.json` to its last word."""

import signal
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

from torch import Tensor, nn

from service.contract.agent import AttemptResult
from service.contract.ids import new_id
from service.contract.jobs import Reason
from service.contract.recipes import PARAMS, RecipeParams
from service.contract.specs import JobSpec
from workers.attempt_dir import Assignment, AttemptDir
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, Split, open_dataset
from workers.recipes import build
from workers.runs.import_export import run_export, run_import
from workers.runs.predictions import Predictions, write_evaluation
from workers.training.attempt_results import Stopped, result_of
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.distributed import Ranks, RanksApart, joined
from workers.training.evaluate import evaluate
from workers.training.events import Events
from workers.training.initial_state import begin
from workers.training.mean_image import mean_to_evaluate_with, mean_to_train_with
from workers.training.progress import validation_line
from workers.training.trainer import Trainer, total_steps
from workers.training.weights import Weights, fill_for_eval, weights_of

_STRIDE = 32


def run_rank(spec_path: Path) -> int:
    """Run this rank of the attempt whose folder holds `spec_path`.

    0 once the `ended` event is written, by rank 0, or this rank has nothing left to say. SIGTERM at
    any rank finishes the step, saves, and ends the attempt as released.
    """
    mailbox = AttemptDir(spec_path.parent)
    assignment = mailbox.assignment()
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    try:
        with joined() as ranks, closing(Events(mailbox, _now, speaks=ranks.is_first)) as events:
            return _run(assignment, mailbox.folder, ranks, events, lambda: bool(asked))
    except RanksApart as error:
        traceback.print_exc()
        with closing(Events(mailbox, _now, speaks=error.is_first)) as events:
            events.tell("ended", result_of(error).model_dump(mode="json"))
        return 0 if error.is_first else 1


def _run(
    assignment: Assignment,
    attempt_folder: Path,
    ranks: Ranks,
    events: Events,
    stop_asked: Callable[[], bool],
) -> int:
    try:
        run = _RUNS[assignment.claim.spec.kind]
        result = run(assignment, attempt_folder, ranks, events, stop_asked)
        outcome = AttemptResult(outcome="succeeded", reason=Reason.FINISHED, result=result)
    except Stopped as stopped:
        outcome = result_of(stopped)
    except Exception as error:
        traceback.print_exc()
        outcome = result_of(error)
        if not ranks.is_first:
            return 0 if ranks.tell_failure(outcome.model_dump_json()) else 1
        # An exchange that broke off is another rank's failure, if that rank says so.
        told = ranks.failure_told() if isinstance(error, RuntimeError) else None
        outcome = outcome if told is None else AttemptResult.model_validate_json(told)
    said = f"{outcome.outcome}: {outcome.message}" if outcome.message else outcome.outcome
    events.tell("ended", outcome.model_dump(mode="json"), said)
    return 0


def _train(
    assignment: Assignment,
    attempt_folder: Path,
    ranks: Ranks,
    events: Events,
    stop_asked: Callable[[], bool],
) -> dict[str, Any]:
    spec = assignment.claim.job_spec
    params = spec.recipe_params
    mean = mean_to_train_with(assignment, params)
    train = _dataset(assignment, "train", params, mean)
    val = _dataset(assignment, "val", params, mean)
    if train.class_names != val.class_names:
        raise InvalidData("the classes of val_dir are not those of train_dir")
    steps = total_steps(spec, len(train))
    _check_share(params, ranks)
    beginning = begin(assignment, ranks, events, _class_count(params, train))
    state = beginning.state
    started = {"total_steps": steps, "resumed_from": beginning.resumed_from, "step": state.step}
    events.tell("started", started, f"started at step {state.step}/{steps}")
    saves = CheckpointPublisher(
        assignment,
        state,
        ranks,
        events,
        attempt_folder=attempt_folder,
        class_names=train.class_names,
        parent=beginning.parent,
        mean=mean,
        now=_now,
        new_id=_new_id,
    )
    trainer = Trainer(
        spec, state, ranks, events, saves, train, val, clock=monotonic, stop_asked=stop_asked
    )
    return trainer.run()


def _evaluate(
    assignment: Assignment,
    attempt_folder: Path,
    ranks: Ranks,
    events: Events,
    stop_asked: Callable[[], bool],
) -> dict[str, Any]:
    spec = assignment.claim.job_spec
    assert spec.checkpoint is not None
    weights = weights_of(assignment, spec.checkpoint, events)
    params = _as_trained(assignment, weights, events)
    mean = mean_to_evaluate_with(assignment, params, weights.manifest)
    val = _dataset(assignment, "val", params, mean)
    network = _trained_network(spec, weights, _class_count(params, val))
    named = weights.manifest.class_names if weights.manifest is not None else ()
    if named and named != val.class_names:
        events.note("the classes of the checkpoint have other names than those of the data")
    events.tell("started", {"total_steps": 1, "resumed_from": None, "step": 0}, "started")
    began, predictions = monotonic(), Predictions()
    found = evaluate(
        network.to(ranks.device),
        val,
        ranks,
        num_workers=params.data_workers,
        stop_asked=stop_asked,
        alive=events.alive,
        see=predictions.see,
    )
    seconds = monotonic() - began
    events.log(validation_line(None, found))
    predicted = predictions.gathered(ranks, len(val))
    shown = write_evaluation(attempt_folder / "files", val, predicted) if ranks.is_first else {}
    return {
        **found,
        **shown,
        "images_per_second": found["samples"] / max(seconds, 1e-9),
        "image_size": params.image_size,
        "preprocessing": params.preprocessing,
    }


def _trained_network(spec: JobSpec, weights: Weights, classes: int) -> nn.Module:
    network = build(*spec.network, classes)
    fill_for_eval(network, weights, classes)
    return network


def _as_trained(assignment: Assignment, weights: Weights, events: Events) -> RecipeParams:
    """The eval's parameters with the preprocessing of the weights' manifest, always.

    Its image_size holds where the spec has the recipe's default: a spec has its defaults filled in,
    so that a user who named none, and one who named just the default, look the same.
    """
    spec = assignment.claim.job_spec
    params, manifest = spec.recipe_params, weights.manifest
    if manifest is None:
        return params
    if (manifest.recipe, manifest.variant) != (spec.recipe, spec.variant):
        raise IncompatibleCheckpoint(
            f"the checkpoint is of {manifest.recipe} {manifest.variant}; "
            f"the job names {spec.recipe} {spec.variant}"
        )
    changes: dict[str, Any] = {"preprocessing": manifest.preprocessing}
    if params.image_size == PARAMS[spec.network[0]].model_fields["image_size"].default:
        changes["image_size"] = manifest.image_size
    for name, value in changes.items():
        if getattr(params, name) != value:
            events.note(f"{name} is {value}, as the checkpoint was trained with")
    return params.model_copy(update=changes)


def _dataset(
    assignment: Assignment, split: Split, params: RecipeParams, mean: Tensor | None
) -> ImageDataset:
    return open_dataset(
        assignment.claim.job_spec.data,
        assignment.data_root,
        split,
        preprocessing=params.preprocessing,
        image_size=params.image_size,
        seed=params.seed,
        mean=mean,
    )


def _class_count(params: RecipeParams, images: ImageDataset) -> int:
    found = len(images.class_names)
    if params.num_classes not in (None, found):
        raise InvalidData(
            f"num_classes is {params.num_classes}, the data has {found}; leave num_classes out"
        )
    return found


def _check_share(params: RecipeParams, ranks: Ranks) -> None:
    if ranks.share_of(params.batch_size) == 1 and params.image_size == _STRIDE:
        raise InvalidData(
            f"batch norm needs two values: use a batch_size of {2 * ranks.world_size} or more, "
            f"or an image_size of {2 * _STRIDE}"
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return new_id("ckpt")


_RUNS = {"train": _train, "eval": _evaluate, "import": run_import, "export": run_export}
