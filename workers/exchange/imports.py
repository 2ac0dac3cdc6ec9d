"""Reads a file of published weights as the content of a checkpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from service.contract.class_names import InvalidClassNames, require_class_names
from service.contract.exchange import ImportRequest
from workers.checkpoints.class_names import NamedRows, class_names_of
from workers.checkpoints.tensors import storable, under_all_names
from workers.checkpoints.upstream import IncompatibleCheckpoint, weights_in
from workers.data.errors import InvalidData
from workers.data.mean_image import WrongMeanShape, read_mean_image
from workers.exchange.errors import ImportRefused
from workers.exchange.files import import_path, open_weights
from workers.exchange.identify import Identity, Signature, identify, signature
from workers.exchange.momentum import OPTIMIZER, SCHEDULE, ForeignOptimizer, momentum_from
from workers.recipes.base import Recipe
from workers.recipes.table import recipe_named

_NAMED_STEP = re.compile(r"checkpoint-(\d{1,15})\.")
_LARGEST_STEP = 2**53


@dataclass(frozen=True)
class ImportedWeights:
    """The weights of a file whose names and shapes are checked, but whose values are not.

    `model` has each tensor once, in the published order, and `aliases` maps second names to first
    names, as a checkpoint stores them. `phase` is `train` if the file has an optimizer state, so
    that training can resume from `step`. The tensors are memory-mapped: the file must not change
    until they are written. `mean` (3, S, S) is the mean image, if the request names one. `notes`
    are sentences for the user.
    """

    identity: Identity
    class_names: tuple[str, ...]
    image_size: int
    preprocessing: str
    step: int
    phase: Literal["train", "final"]
    model: Mapping[str, Tensor]
    aliases: Mapping[str, str]
    momentum: Mapping[str, Tensor]
    mean: Tensor | None
    notes: tuple[str, ...]


def import_file(request: ImportRequest, import_root: Path) -> ImportedWeights:
    """Read and identify the file of a request; `publish_import` makes a checkpoint of it.

    The file has the form of the original scripts: a dictionary of tensors, bare or under
    `state_dict`, with or without `module.` before the names, and optionally `optimizer_state_dict`
    with `lr_scheduler_state_dict`. Raises ImportRefused.
    """
    path = import_path(import_root, request.file)
    content = open_weights(path)
    try:
        tensors = weights_in(path, content)
    except IncompatibleCheckpoint as error:
        raise ImportRefused("not_weights", str(error)) from error
    _check_kinds(path, tensors)
    identity = identify(tensors, request.recipe, request.variant)
    rows = _class_names(request, import_root, content, identity)
    preprocessing = _preprocessing(request, identity)
    mean = _mean_image(request, import_root, preprocessing)
    network = signature(identity.recipe, identity.variant)
    model, notes = _model(tensors, network)
    momentum, momentum_notes = _momentum(content, recipe_named(identity.recipe), network, model)
    step = _step(path, content)
    if step is None:
        notes.append("neither the content nor the name of the file has its step: step 0 is used")
    return ImportedWeights(
        identity=identity,
        class_names=rows.names,
        image_size=request.image_size,
        preprocessing=preprocessing,
        step=step or 0,
        phase="final" if momentum is None else "train",
        model=model,
        aliases={later: first for later, first in network.aliases.items() if first in model},
        momentum=momentum or {},
        mean=mean,
        notes=(*notes, *momentum_notes, _note_on(rows)),
    )


def _check_kinds(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not storable(tensor):
            kind = f"{tensor.dtype} ({tensor.layout})"
            raise ImportRefused(
                "not_weights", f"{path.name}: {name} has the unsupported type {kind}"
            )


def _class_names(
    request: ImportRequest, import_root: Path, content: Any, identity: Identity
) -> NamedRows:
    if not identity.num_classes:
        raise ImportRefused("class_count_mismatch", "the classifier of the weights has no classes")
    if request.class_names is not None:
        rows = NamedRows(request.class_names, "class_names")
    else:
        try:
            rows = class_names_of(import_root, request.file, content)
        except IncompatibleCheckpoint as error:
            raise ImportRefused("class_names_unreadable", str(error)) from error
    try:
        require_class_names(rows.names)
    except InvalidClassNames as error:
        raise ImportRefused("class_names_invalid", str(error)) from error
    if (rows.names or request.class_names is not None) and len(rows.names) != identity.num_classes:
        raise ImportRefused(
            "class_count_mismatch",
            f"the weights have {identity.num_classes} classes, "
            f"and {rows.origin} has {len(rows.names)} names",
        )
    return rows


def _note_on(rows: NamedRows) -> str:
    if rows.names:
        return f"the names of the {len(rows.names)} classes are from {rows.origin}"
    return (
        "the names of the classes are not known, so that an eval can match them with its data's "
        "by position alone: give them as class_names, or in a file FILE.classes.txt beside the "
        "weights, a line for each row of the classifier"
    )


def _preprocessing(request: ImportRequest, identity: Identity) -> str:
    named = request.preprocessing
    if named is None and request.mean_image is not None:
        return "bgr255_minus_mean"
    if named != "bgr255_minus_mean" and request.mean_image is not None:
        raise ImportRefused(
            "mean_image_unused", f"preprocessing {named} subtracts no mean: leave mean_image out"
        )
    if named == "bgr255_minus_mean" and request.mean_image is None:
        raise ImportRefused(
            "mean_image_missing", f"preprocessing {named} needs mean_image, a .xml or .npy file"
        )
    return named or str(recipe_named(identity.recipe).params().preprocessing)


def _mean_image(request: ImportRequest, import_root: Path, preprocessing: str) -> Tensor | None:
    if preprocessing != "bgr255_minus_mean":
        return None
    assert request.mean_image is not None
    try:
        return read_mean_image(import_path(import_root, request.mean_image), request.image_size)
    except WrongMeanShape as error:
        raise ImportRefused("mean_image_shape", str(error)) from error
    except InvalidData as error:
        raise ImportRefused("mean_image_unreadable", str(error)) from error


def _model(
    tensors: Mapping[str, Tensor], network: Signature
) -> tuple[dict[str, Tensor], list[str]]:
    # As load_state_dict does: if two names of one tensor have two values, the later one is used.
    named = under_all_names(tensors, network.aliases)
    filled = named | {first: named[later] for later, first in network.aliases.items()}
    stored = [name for name in network.tensors if name not in network.aliases]
    model = {name: filled[name] for name in stored if name in filled}
    absent = sorted({name.split(".")[0] for name in stored if name not in model})
    if not absent:
        return model, []
    return model, [
        f"the file has no auxiliary heads ({', '.join(absent)}): a training initialises new ones"
    ]


def _momentum(
    content: Any, recipe: Recipe, network: Signature, model: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor] | None, list[str]]:
    if not isinstance(content, Mapping) or OPTIMIZER not in content:
        return None, []
    if recipe.optimizer != Recipe.optimizer:
        return None, [f"the optimizer state is left out: {recipe.name} has another optimizer"]
    if any(name not in model for name in network.parameters):
        return None, [
            "the optimizer state is left out: some of its weights are missing in the file"
        ]
    try:
        momentum = momentum_from(content[OPTIMIZER], network, model)
    except ForeignOptimizer as error:
        return None, [
            f"the optimizer state is left out, since it does not fit the network: {error}"
        ]
    return momentum, [
        "the original scripts save no random state and no position in the data: a training "
        "resumes from these weights, this momentum and this step, but not bit for bit"
    ]


def _step(path: Path, content: Any) -> int | None:
    inside = content if isinstance(content, Mapping) else {}
    schedule = inside.get(SCHEDULE)
    step = schedule.get("last_epoch") if isinstance(schedule, Mapping) else inside.get("iteration")
    if isinstance(step, int) and 0 <= step <= _LARGEST_STEP:
        return step
    named = _NAMED_STEP.search(path.name)
    return int(named[1]) if named else None
