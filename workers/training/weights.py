"""The weights that an eval or a training starts from: a trained checkpoint or a published file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from service.contract.checkpoints import Checkpoint, Manifest
from service.contract.counts import count_text
from service.contract.specs import CheckpointRef
from service.volume.identity import SharedVolume
from workers.attempt_dir import Assignment
from workers.checkpoints.class_names import class_names_of
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.import_root import import_path
from workers.checkpoints.snapshot import CheckpointContent, load_published
from workers.checkpoints.state_dicts import StateDict, chosen, notes_on
from workers.checkpoints.upstream import (
    IncompatibleCheckpoint,
    class_count,
    distance,
    fits,
    load_for_training,
    require_fractions,
)
from workers.checkpoints.weight_files import open_weights
from workers.data.classes import ClassesDiffer, ClassOrder, match_classes
from workers.networks.heads import Heads
from workers.training.events import Events
from workers.training.non_finite import require_finite_tensors


@dataclass(frozen=True)
class Weights:
    """The candidates for weights in a file or checkpoint called `name`.

    `manifest` is that of a trained checkpoint, None for a file.
    `class_names` are those of the classifier's rows, () where they are not known.
    """

    name: str
    candidates: Sequence[StateDict]
    manifest: Manifest | None
    class_names: tuple[str, ...]


def weights_of(assignment: Assignment, ref: CheckpointRef, events: Events) -> Weights:
    """Read what `ref` names, which the claim has resolved unless it is a file.

    Raises IncompatibleCheckpoint, DamagedCheckpoint, NonFiniteLoss.
    """
    if ref.file is not None:
        path = import_path(assignment.import_root, ref.file)
        file = open_weights(path)
        rows = class_names_of(assignment.import_root, ref.file, file.content)
        return Weights(path.name, file.candidates, manifest=None, class_names=rows.names)
    loaded = trained_source(assignment, events, load_published)
    manifest = loaded.manifest
    require_finite_weights(loaded.model, manifest.checkpoint_id)
    candidates = [StateDict("", loaded.model)]
    return Weights(manifest.checkpoint_id, candidates, manifest, manifest.class_names)


def require_finite_weights(tensors: Mapping[str, Tensor], name: str) -> None:
    """Raise NonFiniteLoss, which names the tensors, if weights of a file or checkpoint are not."""
    require_finite_tensors(tensors, f"the weights of {name} are", "use other weights")


def trained_source(
    assignment: Assignment,
    events: Events,
    read: Callable[[SharedVolume, Checkpoint], CheckpointContent],
) -> CheckpointContent:
    """The checkpoint that the claim brings, by one of the readers of snapshots.

    A damaged one is an event too. Raises IncompatibleCheckpoint, DamagedCheckpoint,
    AbsentCheckpoint, WrongVolume.
    """
    source = assignment.claim.weights
    if source is None:
        raise IncompatibleCheckpoint("the checkpoint that was named is not there any more")
    try:
        return read(assignment.shared_volume, source)
    except DamagedCheckpoint as damaged:
        events.report("damaged", {"checkpoint_id": source.id, "problems": damaged.problems})
        raise


def fill_for_eval(
    network: nn.Module,
    weights: Weights,
    class_names: Sequence[str],
    heads: Heads,
    events: Events,
    remedy: str = "evaluate them on data with their classes",
) -> ClassOrder:
    """Fill all that an eval uses; the order of the network's classes.

    `class_names` are those of the data, `remedy` is for those that the weights do not have.
    Auxiliary heads, which an eval does not use, may be missing. Raises IncompatibleCheckpoint.
    """
    tensors = _choose(network, weights, heads, "keep", events)
    order = _class_order(weights, tensors, class_names, heads, remedy)
    load_for_training(network, tensors, heads)
    return order


def fill_for_training(
    network: nn.Module,
    weights: Weights,
    class_names: Sequence[str],
    ref: CheckpointRef,
    heads: Heads,
    events: Events,
) -> ClassOrder | None:
    """Fill the network as a training's start; the order of its classes, None for a new head.

    `class_names` are those of the data. Raises IncompatibleCheckpoint.
    """
    tensors = _choose(network, weights, heads, ref.head, events)
    order = None
    if ref.head == "keep":
        remedy = 'say "head": "replace" in init_from to train a new classifier'
        order = _class_order(weights, tensors, class_names, heads, remedy)
    load_for_training(network, tensors, heads, ref.head)
    return order


def note_match(events: Events, order: ClassOrder) -> None:
    """Note in the job's history that classes could be matched by position alone."""
    if order.matched_by == "position":
        events.note(
            "the names of the classes of these weights are not known, so that the data's classes, "
            "sorted by name, were matched with them by position: import the weights with "
            "class_names to have them matched by name"
        )


def _choose(
    network: nn.Module,
    weights: Weights,
    heads: Heads,
    head: Literal["keep", "replace"],
    events: Events,
) -> Mapping[str, Tensor]:
    """The tensors that fit, which is noted, else the nearest, whose differences are an error.

    Raises NonFiniteLoss, UnreadableWeights.
    """
    own = network.state_dict()
    fitting = [s for s in weights.candidates if fits(network, s.tensors, heads, head)]
    if not fitting:
        return min(weights.candidates, key=lambda s: distance(own, s.tensors)).tensors
    choice = chosen(weights.name, fitting)
    if weights.manifest is None:
        require_fractions(own, choice.tensors, weights.name)
        require_finite_weights(choice.tensors, weights.name)
    for note in notes_on(choice, fitting, own):
        events.note(note)
    return choice.tensors


def _class_order(
    weights: Weights,
    tensors: Mapping[str, Tensor],
    class_names: Sequence[str],
    heads: Heads,
    remedy: str,
) -> ClassOrder:
    rows, count = weights.class_names, class_count(tensors, heads)
    if rows and count is not None and count != len(rows):
        raise IncompatibleCheckpoint(
            f"the weights have {count_text(count, 'class', 'classes')} and "
            f"{count_text(len(rows), 'name')}"
        )
    try:
        order = match_classes(rows, class_names)
    except ClassesDiffer as differ:
        raise IncompatibleCheckpoint(
            f"the classes of the weights and of the data differ: {differ}; {remedy}"
        ) from differ
    if count is not None and count != len(class_names):
        raise IncompatibleCheckpoint(
            f"the weights have {count_text(count, 'class', 'classes')}, "
            f"the data has {len(class_names)}: {remedy}"
        )
    return order
