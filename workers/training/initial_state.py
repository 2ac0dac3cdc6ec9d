"""Where a training begins: fresh weights, given weights, or the state it was interrupted in."""

import random
from dataclasses import dataclass

import numpy as np
import torch

from service.contract.checkpoints import Checkpoint
from service.contract.specs import CheckpointRef
from workers.attempt_dir import Assignment
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.snapshot import Loaded, load_resumable
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.recipes import build
from workers.recipes.optimizer import sgd
from workers.training.distributed import Ranks
from workers.training.events import Events
from workers.training.state import RunState
from workers.training.weights import fill_for_training, trained_source, weights_of


@dataclass(frozen=True)
class InitialState:
    """The state to train on from; `parent` is the checkpoint it came from, if any."""

    state: RunState
    resumed_from: str | None
    parent: str | None


def begin(assignment: Assignment, ranks: Ranks, events: Events, num_classes: int) -> InitialState:
    """The newest checkpoint of the claim that is whole, else `init_from`, else fresh weights.

    Raises IncompatibleCheckpoint, and DamagedCheckpoint for `init_from` alone.
    """
    claim = assignment.claim
    params = claim.job_spec.recipe_params
    _seed(params.seed)
    network = build(*claim.job_spec.network, num_classes, params.dropout)
    network = network.to(ranks.device)
    state = RunState(network, sgd(network, params), ranks.device)
    if ranks.rank:
        # The same weights everywhere, but dropout of its own on each rank.
        _seed(_mixed(params.seed, ranks.rank))
    for checkpoint in claim.resume:
        if _resume(assignment, checkpoint, state, ranks, events):
            return InitialState(state, checkpoint.id, checkpoint.id)
    ref, source = claim.job_spec.init_from, claim.weights
    if ref is None:
        return InitialState(state, None, None)
    if ref.state == "full":
        parent = _go_on(assignment, ref, state, ranks, events)
        return InitialState(state, parent, parent)
    weights = weights_of(assignment, ref, events)
    fill_for_training(network, weights, num_classes, ref)
    return InitialState(state, None, None if source is None else source.id)


def _resume(
    assignment: Assignment, checkpoint: Checkpoint, state: RunState, ranks: Ranks, events: Events
) -> bool:
    loaded: Loaded | None = None
    problems: list[str] = []
    try:
        loaded = load_resumable(assignment.volume / checkpoint.path)
    except DamagedCheckpoint as damaged:
        problems = damaged.problems
    # All ranks go on from the same one: what one of them cannot read, none takes.
    found = next((p for p in ranks.gathered(problems) if p), None)
    if found is not None or loaded is None:
        body = {"checkpoint_id": checkpoint.id, "problems": found}
        events.tell("damaged", body, f"{checkpoint.path} is damaged, going back to the one before")
        return False
    _restore(state, loaded, ranks, events)
    return True


def _go_on(
    assignment: Assignment, ref: CheckpointRef, state: RunState, ranks: Ranks, events: Events
) -> str:
    if ref.file is not None:
        raise IncompatibleCheckpoint(
            f"{ref.file} has weights and no training state; leave state out of init_from"
        )
    loaded = trained_source(assignment, events, load_resumable)
    total_iters = assignment.claim.job_spec.recipe_params.total_iters
    if loaded.manifest.step >= total_iters:
        raise IncompatibleCheckpoint(
            f"the checkpoint is at step {loaded.manifest.step} of {total_iters}: "
            'nothing is left to train; set a larger total_iters, or "state": "weights"'
        )
    _restore(state, loaded, ranks, events)
    return loaded.manifest.checkpoint_id


def _restore(state: RunState, loaded: Loaded, ranks: Ranks, events: Events) -> None:
    state.restore(loaded, ranks)
    manifest = loaded.manifest
    torch_then = manifest.versions.get("torch")
    changes = []
    if manifest.world_size != ranks.world_size:
        changes.append(f"with {ranks.world_size} ranks, not {manifest.world_size}")
        _seed(_mixed(manifest.step, ranks.rank))
    if torch_then != torch.__version__:
        changes.append(f"with torch {torch.__version__}, not {torch_then}")
    if changes:
        events.note(
            f"resumed {' and '.join(changes)}: weights, momentum and position are those of step "
            f"{manifest.step}, but equality bit for bit cannot be promised"
        )


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
