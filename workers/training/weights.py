"""The weights that an eval or a training starts from: a trained checkpoint or a published file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from service.contract.checkpoints import Manifest
from service.contract.paths import PathOutsideRoot, resolve_path
from service.contract.specs import CheckpointRef
from workers.attempt_dir import Assignment
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.snapshot import CheckpointContent, load
from workers.checkpoints.upstream import (
    IncompatibleCheckpoint,
    class_count,
    load_for_training,
    load_strict,
    read_weights,
)
from workers.networks.heads import Heads
from workers.training.events import Events


@dataclass(frozen=True)
class Weights:
    """Tensors by name; `manifest` is that of a trained checkpoint, None for a file."""

    tensors: Mapping[str, Tensor]
    manifest: Manifest | None


def weights_of(assignment: Assignment, ref: CheckpointRef, events: Events) -> Weights:
    """Read what `ref` names, which the claim has resolved unless it is a file.

    Raises IncompatibleCheckpoint, DamagedCheckpoint.
    """
    if ref.file is not None:
        return Weights(read_weights(_import_path(assignment.import_root, ref.file)), manifest=None)
    loaded = trained_source(assignment, events, load)
    return Weights(loaded.model, loaded.manifest)


def trained_source(
    assignment: Assignment, events: Events, read: Callable[[Path], CheckpointContent]
) -> CheckpointContent:
    """The checkpoint that the claim brings, by one of the readers of snapshots.

    A damaged one is an event too. Raises IncompatibleCheckpoint, DamagedCheckpoint.
    """
    source = assignment.claim.weights
    if source is None:
        raise IncompatibleCheckpoint("the checkpoint that was named is not there any more")
    try:
        return read(assignment.volume / source.path)
    except DamagedCheckpoint as damaged:
        events.report("damaged", {"checkpoint_id": source.id, "problems": damaged.problems})
        raise


def fill_for_eval(network: nn.Module, weights: Weights, num_classes: int, heads: Heads) -> None:
    """Fill the network strictly; raises IncompatibleCheckpoint."""
    _match_classes(weights, num_classes, heads, "evaluate them on data with their classes")
    load_strict(network, weights.tensors)


def fill_for_training(
    network: nn.Module, weights: Weights, num_classes: int, ref: CheckpointRef, heads: Heads
) -> None:
    """Fill the network as a training's start; raises IncompatibleCheckpoint."""
    if ref.head == "keep":
        remedy = 'say "head": "replace" in init_from to train a new classifier'
        _match_classes(weights, num_classes, heads, remedy)
    load_for_training(network, weights.tensors, heads, ref.head)


def _match_classes(weights: Weights, num_classes: int, heads: Heads, remedy: str) -> None:
    count = class_count(weights.tensors, heads)
    if count not in (None, num_classes):
        raise IncompatibleCheckpoint(
            f"the weights have {count} classes, the data has {num_classes}: {remedy}"
        )


def _import_path(import_root: Path, file: str) -> Path:
    try:
        path = resolve_path(import_root, file)
    except PathOutsideRoot as error:
        raise IncompatibleCheckpoint(f"{file} leads out of the import root") from error
    if not path.is_file():
        raise IncompatibleCheckpoint(f"{file}: there is no such file below the import root")
    return path
