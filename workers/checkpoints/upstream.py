"""Reads and writes files of weights, and matches their tensors with those of a network."""

import pickle
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from workers.checkpoints.tensors import shared_names, under_all_names
from workers.networks.heads import Heads

_SHOWN = 10


class IncompatibleCheckpoint(ValueError):
    """The weights do not fit the network, or the file has no weights; the message says why.

    `code` identifies the error for programs; it is None unless a subclass sets it.
    """

    code: str | None = None


class CodeInPickle(IncompatibleCheckpoint):
    """The pickle of the file calls a function; it was not called."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.pth.tar`, `.pkl`, `.pth` or `.safetensors` file by name, on the CPU.

    The file holds a dictionary of tensors, bare or under `state_dict`; a prefix `module.` of the
    names is removed. Runs no code of the file. Raises IncompatibleCheckpoint.
    """
    return weights_in(path, read_content(path))


def read_content(path: Path) -> Any:
    """The unchanged content of a file of weights; tensors are memory-mapped if possible.

    Raises IncompatibleCheckpoint, CodeInPickle.
    """
    if not path.is_file():
        raise IncompatibleCheckpoint(f"{path.name}: there is no such file")
    if path.suffix != ".safetensors":
        return _unpickle(path)
    try:
        return safetensors.torch.load_file(path)
    except SafetensorError as error:
        raise IncompatibleCheckpoint(
            f"{path.name} is cut off, or not a safetensors file: {error}"
        ) from error


def weights_in(path: Path, content: Any) -> dict[str, Tensor]:
    """The tensors by name in the content of a file; raises IncompatibleCheckpoint."""
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise IncompatibleCheckpoint(f"{path.name} does not contain a dictionary of tensors")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise IncompatibleCheckpoint(
                f"{path.name}: {name!r} is a {type(value).__name__}, not a named tensor"
            )
    return _without_module(path, content)


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write `{"state_dict": tensors}`, which the original scripts can load."""
    torch.save({"state_dict": dict(tensors)}, path)


def load_strict(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy the tensors into the network; both must have exactly the same names and shapes.

    Raises IncompatibleCheckpoint, and then the network is unchanged.
    """
    _load(model, tensors, fresh=())


def load_for_training(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    heads: Heads,
    head: Literal["keep", "replace"] = "keep",
) -> list[str]:
    """Copy the tensors into the network, and return the names that were not copied.

    Not copied are whole auxiliary heads that the file does not have and, with `head="replace"`,
    every classifier, whose number of classes may differ. All other names and shapes must match.
    Raises IncompatibleCheckpoint, and then the network is unchanged.
    """
    names = list(model.state_dict())
    stored = {heads.auxiliary_head_of(name) for name in tensors}
    absent = {n for n in names if heads.auxiliary_head_of(n) not in stored | {None}}
    replaced = {n for n in names if head == "replace" and heads.counts_classes(n)}
    fresh = [name for name in names if name in absent | replaced]
    _load(model, tensors, fresh)
    return fresh


def class_count(tensors: Mapping[str, Tensor], heads: Heads) -> int | None:
    """The number of classes of these weights; None if they have no classifier."""
    weight = tensors.get(f"{heads.classifier}.weight")
    return None if weight is None or weight.dim() < 2 else len(weight)


def differences(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """The missing, unexpected and misshapen names, the first ten of each; empty if all fit."""
    missing = [name for name in expected if name not in tensors]
    unexpected = [name for name in tensors if name not in expected]
    misshapen = [
        f"{name} is {list(tensors[name].shape)}, not {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    listed = {"missing": missing, "unexpected": unexpected, "misshapen": misshapen}
    return "; ".join(_counted(kind, names) for kind, names in listed.items() if names)


def _load(model: nn.Module, tensors: Mapping[str, Tensor], fresh: Collection[str]) -> None:
    own = model.state_dict()
    copied = {name: tensor for name, tensor in tensors.items() if name not in fresh}
    filled = under_all_names(copied, shared_names(own))
    wrong = differences({n: t for n, t in own.items() if n not in fresh}, filled)
    if wrong:
        raise IncompatibleCheckpoint(f"the weights do not fit the network: {wrong}")
    model.load_state_dict(filled, strict=False)


def _counted(kind: str, names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return f"{len(names)} {kind} ({', '.join(names[:_SHOWN])}{more})"


def _without_module(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    stripped = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    if len(stripped) != len(tensors):
        raise IncompatibleCheckpoint(f"{path.name} has names both with and without 'module.'")
    return stripped


def _unpickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # The warning about the pickle protocol is irrelevant: the file loads, or it is refused.
            warnings.simplefilter("ignore", UserWarning)
            # Only the newer, zipped format can be memory-mapped.
            mapped = zipfile.is_zipfile(path)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        if named:
            raise CodeInPickle(
                f"{path.name} is refused: its pickle calls {named[1]}, "
                "which a file of weights must not do"
            ) from error
        raise IncompatibleCheckpoint(f"{path.name} is not a file of weights") from error
    except MemoryError:
        raise
    # For truncated and foreign files torch raises whatever exception its parsers meet.
    except Exception as error:
        reason = str(error).split("\n")[0].split(". ")[0] or "it ends too early"
        raise IncompatibleCheckpoint(
            f"{path.name} is cut off, or not a file of weights: {reason}"
        ) from error
