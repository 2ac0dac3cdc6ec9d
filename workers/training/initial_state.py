"""Where a training begins: fresh weights, given weights, or the state it was interrupted in."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from service.contract.checkpoints import Checkpoint
from service.contract.counts import count_text
from service.contract.resuming import can_resume
from service.contract.specs import CheckpointRef
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.snapshot import AbsentCheckpoint, CheckpointContent, load_resumable
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.data.classes import ClassesDiffer, Match, match_classes
from workers.data.errors import InvalidData
from workers.data.fingerprint import SplitFingerprint, changes_of, read_run_data
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.synchronised_batch_norm import images_of_statistics
from workers.training.weights import (
    fill_for_training,
    note_match,
    require_finite_weights,
    trained_source,
    weights_of,
)


@dataclass(frozen=True)
class InitialState:
    """The state to train on from; `parent` is the checkpoint it came from, if any.

    `class_names` are those of the classifier's rows, in their order. `classes_matched_by` is how
    the classes of given weights were matched with the data's; None without such weights.
    """

    state: RunState
    resumed_from: str | None
    parent: str | None
    class_names: tuple[str, ...]
    classes_matched_by: Match | None


def begin(context: RunContext, splits: Mapping[str, SplitFingerprint]) -> InitialState:
    """The newest checkpoint of the claim that is whole, else `init_from`, else fresh weights.

    `splits` are the fingerprints of the data, `train` and `val`. Raises IncompatibleCheckpoint,
    NonFiniteLoss, DamagedCheckpoint for `init_from` alone, AbsentCheckpoint, WrongVolume, and
    InvalidData if the classes are not those of a training to be resumed.
    """
    class_names = tuple(splits["train"].classes)
    spec, params, ranks = context.claim.job_spec, context.params, context.ranks
    _seed(params.seed)
    network = context.recipe.build(context.variant, len(class_names), params).to(ranks.device)
    state = RunState(
        network,
        context.recipe.optimizer_of(network, params),
        ranks.device,
        accumulate=params.accumulate,
        images_of_statistics=images_of_statistics(params, ranks),
    )
    if ranks.rank:
        # The same weights everywhere, but dropout of its own on each rank.
        _seed(_mixed(params.seed, ranks.rank))
    loaded = _newest_whole(context)
    if loaded is not None:
        initial = _resumed(context, loaded, state, splits)
        # Its first weights, if any were given, were matched in an earlier attempt.
        data = read_run_data(loaded.folder)
        return replace(
            initial, classes_matched_by=None if data is None else data.classes_matched_by
        )
    ref, source = spec.init_from, context.claim.weights
    if ref is None:
        return InitialState(state, None, None, class_names, None)
    if ref.state == "full":
        with ranks.apart():
            loaded = _full_state(context, ref)
        return _resumed(context, loaded, state, splits)
    with ranks.apart():
        weights = weights_of(context.assignment, ref, context.events)
    heads, events = context.recipe.heads, context.events
    order = fill_for_training(network, weights, class_names, ref, heads, events)
    parent = None if source is None else source.id
    if order is None:
        return InitialState(state, None, parent, class_names, None)
    note_match(events, order)
    return InitialState(state, None, parent, order.names, order.matched_by)


def _newest_whole(context: RunContext) -> CheckpointContent | None:
    """The newest of the claim's checkpoints that every rank can read; None to begin anew.

    Raises AbsentCheckpoint rather than begin anew where the index has checkpoints that this worker
    does not see.
    """
    absent: str | None = None
    for checkpoint in context.claim.resume:
        try:
            loaded = _loaded(context, checkpoint)
        except AbsentCheckpoint as error:
            absent = absent or str(error)
            context.events.note(f"{error}; going back to the one before")
            continue
        if loaded is not None:
            return loaded
    if absent is not None:
        raise AbsentCheckpoint(absent)
    return None


def _loaded(context: RunContext, checkpoint: Checkpoint) -> CheckpointContent | None:
    """A checkpoint; None for one that is damaged or of a newer version, which is reported.

    Raises AbsentCheckpoint, on all ranks if it is absent for one, and WrongVolume.
    """
    loaded: CheckpointContent | None = None
    absent: str | None = None
    problems: list[str] = []
    is_newer = False
    # What is caught here must be caught before the ranks meet again.
    with context.ranks.apart():
        try:
            loaded = load_resumable(context.assignment.shared_volume, checkpoint)
        except AbsentCheckpoint as error:
            absent = str(error)
        except DamagedCheckpoint as damaged:
            problems = damaged.problems
        except IncompatibleCheckpoint as newer:
            problems, is_newer = [str(newer)], True
    # All ranks go on from the same one: what one of them cannot read, none takes.
    first_absent = next((each for each in context.ranks.gathered(absent) if each), None)
    if first_absent is not None:
        raise AbsentCheckpoint(first_absent)
    first_problems = next((p for p in context.ranks.gathered(problems) if p), None)
    if any(context.ranks.gathered(is_newer)):
        message = f"{checkpoint.path} is of a newer version, going back to the one before"
        context.events.note(message)
        return None
    if first_problems is not None or loaded is None:
        body = {"checkpoint_id": checkpoint.id, "problems": first_problems}
        line = f"{checkpoint.path} is damaged, going back to the one before"
        context.events.report("damaged", body, line)
        return None
    return loaded


def _full_state(context: RunContext, ref: CheckpointRef) -> CheckpointContent:
    if ref.file is not None:
        raise IncompatibleCheckpoint(
            f"{ref.file} has weights and no training state; leave state out of init_from"
        )
    loaded = trained_source(context.assignment, context.events, load_resumable)
    total_iters = context.params.total_iters
    if not can_resume(loaded.manifest, total_iters):
        raise IncompatibleCheckpoint(
            f"the checkpoint is at step {loaded.manifest.step}: nothing is left to train of "
            f'{total_iters} iterations; set a larger total_iters, or "state": "weights"'
        )
    return loaded


def _resumed(
    context: RunContext,
    loaded: CheckpointContent,
    state: RunState,
    splits: Mapping[str, SplitFingerprint],
) -> InitialState:
    manifest = loaded.manifest
    try:
        order = match_classes(manifest.class_names, tuple(splits["train"].classes))
    except ClassesDiffer as differ:
        raise InvalidData(
            f"the data has other classes than at step {manifest.step}: {differ}; "
            "name the folders as they were, or start a new training"
        ) from differ
    note_match(context.events, order)
    require_finite_weights(loaded.model, manifest.checkpoint_id)
    state.restore(loaded, context.ranks)
    if manifest.world_size != context.ranks.world_size:
        _seed(_mixed(manifest.step, context.ranks.rank))
    _note_changes(context, loaded, state, splits)
    parent = manifest.checkpoint_id
    return InitialState(state, parent, parent, order.names, order.matched_by)


def _note_changes(
    context: RunContext,
    loaded: CheckpointContent,
    state: RunState,
    splits: Mapping[str, SplitFingerprint],
) -> None:
    """Note in the history why a resumed run is not exactly the run that was interrupted."""
    manifest, ranks, events = loaded.manifest, context.ranks, context.events
    torch_then = manifest.versions.get("torch")
    data = read_run_data(loaded.folder)
    changed = {} if data is None else changes_of(data.splits, splits)
    changes = []
    if manifest.world_size != ranks.world_size:
        changes.append(f"with {count_text(ranks.world_size, 'rank')}, not {manifest.world_size}")
    changes += _changes_of_parts(loaded.rank_states[0], state)
    if torch_then != torch.__version__:
        changes.append(f"with torch {torch.__version__}, not {torch_then}")
    if "train" in changed:
        changes.append(f"on other training data ({changed['train']})")
    if changes:
        events.note(
            f"resumed {' and '.join(changes)}: weights, momentum and position are those of step "
            f"{manifest.step}, but equality bit for bit cannot be promised"
        )
    if "val" in changed:
        events.note(
            f"the validation data is not that of step {manifest.step} ({changed['val']}): errors "
            "before and after it are not of the same images"
        )
    if data is None:
        events.note(
            f"the checkpoint of step {manifest.step} does not say what data it was trained on: "
            "whether the data has changed since is not known"
        )


def _changes_of_parts(saved: Mapping[str, Any], state: RunState) -> list[str]:
    """How a batch is worked through otherwise than in the run that saved the checkpoint."""
    changes = []
    # A run of an older version had no parts, and did not say over how many images.
    accumulate, images = saved.get("accumulate", 1), saved.get("images_of_statistics")
    if accumulate != state.accumulate:
        changes.append(f"with accumulate {state.accumulate}, not {accumulate}")
    if images not in (None, state.images_of_statistics):
        changes.append(f"with batch norm over {state.images_of_statistics} images, not {images}")
    return changes


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
