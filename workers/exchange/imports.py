"""Reads a file of published weights as the content of a checkpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from service.contract.checkpoints import MOST_CLASSES
from service.contract.class_names import InvalidClassNames, require_class_names
from service.contract.counts import count_text
from service.contract.exchange import ImportRequest
from workers.checkpoints.class_names import NamedRows, class_names_of
from workers.checkpoints.state_dicts import StateDict
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.checkpoints.weight_files import WeightFile
from workers.data.errors import InvalidData
from workers.data.mean_image import WrongMeanShape, read_mean_image
from workers.exchange.choice import check_tensors, choose
from workers.exchange.errors import ImportRefused
from workers.exchange.files import import_path, open_import
from workers.exchange.identify import (
    Identity,
    Signature,
    compared,
    identify,
    signature,
)
from workers.exchange.momentum import SCHEDULE, ForeignOptimizer, momentum_from, optimizer_in
from workers.recipes.base import Recipe
from workers.recipes.table import recipe_named

_NAMED_STEP = re.compile(r"checkpoint-(\d{1,15})\.")
_LARGEST_STEP = 2**53
_STEPS = ("iteration", "global_step")


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

    The weights are a dictionary of tensors anywhere in the file, under any prefix of the names;
    the optimizer state of the original scripts beside them is read too. Raises ImportRefused,
    MemoryError.
    """
    file = open_import(import_root, request.file, request.key)
    choice, notes = choose(file, request)
    identity = identify(choice.tensors, request.recipe, request.variant)
    rows = _class_names(request, import_root, file.content, identity)
    preprocessing = _preprocessing(request, identity)
    mean = _mean_image(request, import_root, preprocessing)
    network = signature(identity.recipe, identity.variant)
    model, model_notes = _model(choice.tensors, identity, network)
    momentum, momentum_notes = _momentum(file, choice, identity.recipe, network, model)
    check_tensors(file.path, network.tensors, model, momentum or {})
    step = _step(file)
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
        notes=(*notes, *model_notes, *momentum_notes, _note_on(rows)),
    )


def _class_names(
    request: ImportRequest, import_root: Path, content: Any, identity: Identity
) -> NamedRows:
    classes = count_text(identity.num_classes, "class", "classes")
    if not 1 <= identity.num_classes <= MOST_CLASSES:
        raise ImportRefused(
            "class_count_mismatch",
            f"the weights have {classes}, not 1 to {MOST_CLASSES}",
        )
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
            f"the weights have {classes}, "
            f"and {rows.origin} has {count_text(len(rows.names), 'name')}",
        )
    return rows


def _note_on(rows: NamedRows) -> str:
    if rows.names:
        return f"the names of its classes ({len(rows.names)}) are from {rows.origin}"
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
    tensors: Mapping[str, Tensor], identity: Identity, network: Signature
) -> tuple[dict[str, Tensor], list[str]]:
    # As load_state_dict does: if two names of one tensor have two values, the later one is used.
    _, named = compared(tensors, identity.num_classes, network)
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
    file: WeightFile,
    choice: StateDict,
    recipe: str,
    network: Signature,
    model: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor] | None, list[str]]:
    state = optimizer_in(file.content)
    if state is None:
        return None, []
    if choice.is_average:
        return None, ["the optimizer state is left out: it is of the weights that were averaged"]
    if recipe_named(recipe).optimizer != Recipe.optimizer:
        return None, [f"the optimizer state is left out: {recipe} has another optimizer"]
    if any(name not in model for name in network.parameters):
        return None, [
            "the optimizer state is left out: some of its weights are missing in the file"
        ]
    try:
        momentum = momentum_from(state, network, model)
    except ForeignOptimizer as error:
        return None, [
            "the optimizer state is left out, since it is not that of the series' SGD with "
            f"momentum over this network: {error}"
        ]
    return momentum, [
        "the original scripts save no random state and no position in the data: a training "
        "resumes from these weights, this momentum and this step, but not bit for bit"
    ]


def _step(file: WeightFile) -> int | None:
    inside = file.content if isinstance(file.content, Mapping) else {}
    schedule = inside.get(SCHEDULE)
    if isinstance(schedule, Mapping):
        step = schedule.get("last_epoch")
    else:
        step = next((inside[name] for name in _STEPS if name in inside), None)
    if isinstance(step, int) and 0 <= step <= _LARGEST_STEP:
        return step
    named = _NAMED_STEP.search(file.path.name)
    return int(named[1]) if named else None
