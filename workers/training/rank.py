"""One rank of an attempt, from `spec.json` to its last word."""

import random
import signal
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from ulid import ULID

from service.contract.jobs import Reason
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.snapshot import load, load_resumable
from workers.checkpoints.upstream import IncompatibleCheckpoint, load_for_training, load_strict
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, open_dataset
from workers.mailbox import Assignment, Mailbox
from workers.models import build
from workers.recipes.optimizer import sgd
from workers.training.evaluate import evaluate
from workers.training.state import RunState
from workers.training.trainer import NonFiniteLoss, Stopped, Trainer

_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (InvalidData, Reason.INVALID_DATA),
    (IncompatibleCheckpoint, Reason.INCOMPATIBLE_CHECKPOINT),
    (DamagedCheckpoint, Reason.INCOMPATIBLE_CHECKPOINT),
    (NonFiniteLoss, Reason.NON_FINITE_LOSS),
    (torch.OutOfMemoryError, Reason.OUT_OF_MEMORY),
    (MemoryError, Reason.OUT_OF_MEMORY),
)


def run_rank(spec_path: Path) -> int:
    """Run the attempt whose folder holds `spec_path`; 0 once an `ended` event is written.

    SIGTERM finishes the step, saves, and ends the attempt as released.
    """
    mailbox = Mailbox(spec_path.parent)
    assignment = mailbox.assignment()
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    outcome, reason, message, result = _outcome(assignment, mailbox, lambda: bool(asked))
    body = {"outcome": outcome, "reason": reason, "message": message, "result": result}
    mailbox.append("ended", body, _now())
    return 0


def _outcome(
    assignment: Assignment, mailbox: Mailbox, stop_asked: Callable[[], bool]
) -> tuple[str, Reason, str, dict[str, Any] | None]:
    run = _train if assignment.claim.spec.kind == "train" else _evaluate
    try:
        return "succeeded", Reason.FINISHED, "", run(assignment, mailbox, stop_asked)
    except Stopped:
        return "released", Reason.RELEASED, "stopped after a checkpoint, as asked", None
    except Exception as error:
        traceback.print_exc()
        reason = next((r for kind, r in _REASONS if isinstance(error, kind)), Reason.CRASHED)
        lines = str(error).splitlines() or [type(error).__name__]
        return "failed", reason, lines[0], None


def _train(
    assignment: Assignment, mailbox: Mailbox, stop_asked: Callable[[], bool]
) -> dict[str, Any]:
    train, val = _dataset(assignment, "train"), _dataset(assignment, "val")
    if train.class_names != val.class_names:
        raise InvalidData("the classes of val_dir are not those of train_dir")
    state = _fresh_state(assignment, len(train.class_names))
    resumed_from = _resume(assignment, mailbox, state)
    trainer = Trainer(
        assignment, mailbox, state, train, val, now=_now, new_id=_new_id, stop_asked=stop_asked
    )
    started = {
        "total_steps": trainer.total_steps,
        "resumed_from": resumed_from,
        "step": state.step,
    }
    mailbox.append("started", started, _now())
    return trainer.run()


def _evaluate(assignment: Assignment, mailbox: Mailbox, _: Callable[[], bool]) -> dict[str, Any]:
    spec, source = assignment.claim.spec, assignment.claim.weights
    if source is None:
        raise IncompatibleCheckpoint("there are no weights to evaluate; name a checkpoint by id")
    val = _dataset(assignment, "val")
    loaded = load(assignment.volume / source.path)
    if loaded.manifest.num_classes != len(val.class_names):
        raise IncompatibleCheckpoint(
            f"the checkpoint has {loaded.manifest.num_classes} classes, "
            f"the data {len(val.class_names)}"
        )
    mailbox.append("started", {"total_steps": 1, "resumed_from": None, "step": 0}, _now())
    network = build(source.recipe, source.variant, loaded.manifest.num_classes)
    load_strict(network, loaded.model)
    device, began = _device(), _now()
    workers = spec.recipe_params.data_workers
    found = evaluate(network.to(device), val, device=device, num_workers=workers)
    seconds = (_now() - began).total_seconds()
    return {**found, "images_per_second": found["samples"] / max(seconds, 1e-9)}


def _dataset(assignment: Assignment, split: Any) -> ImageDataset:
    params = assignment.claim.spec.recipe_params
    return open_dataset(
        assignment.claim.spec.data,
        assignment.data_root,
        split,
        preprocessing=params.preprocessing,
        image_size=params.image_size,
        seed=params.seed,
    )


def _fresh_state(assignment: Assignment, num_classes: int) -> RunState:
    claim = assignment.claim
    params = claim.spec.recipe_params
    if params.num_classes not in (None, num_classes):
        raise InvalidData(f"num_classes is {params.num_classes}, the data has {num_classes}")
    random.seed(params.seed)
    np.random.seed(params.seed)
    torch.manual_seed(params.seed)
    assert claim.spec.variant is not None
    network = build(claim.spec.recipe, claim.spec.variant, num_classes, params.dropout)
    if claim.weights is not None and claim.spec.init_from is not None:
        weights = load(assignment.volume / claim.weights.path)
        load_for_training(network, weights.model, claim.spec.init_from.head)
    network = network.to(_device())
    return RunState(network, sgd(network, params), _device())


def _resume(assignment: Assignment, mailbox: Mailbox, state: RunState) -> str | None:
    for checkpoint in assignment.claim.resume:
        try:
            state.restore(load_resumable(assignment.volume / checkpoint.path))
        except DamagedCheckpoint as damaged:
            body = {"checkpoint_id": checkpoint.id, "problems": damaged.problems}
            mailbox.append("damaged", body, _now())
        else:
            return checkpoint.id
    return None


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return f"ckpt_{ULID()}"
