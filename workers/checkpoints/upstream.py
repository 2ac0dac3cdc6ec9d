"""Matches the tensors of a file of weights with those of a network, and writes such a file."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from workers.checkpoints.tensors import shared_names, under_all_names
from workers.networks.heads import Heads

_SHOWN = 10
_SHOWN_CHARACTERS = 80
# The buffer of batch norm that files of before torch 0.4.1 do not have.
_COUNTER = "num_batches_tracked"
# What thop adds to every module, and what modules keep beside tensors.
_BOOKKEEPING = ("total_ops", "total_params", "_extra_state")


class IncompatibleCheckpoint(ValueError):
    """The weights do not fit the network, or the file has no weights; the message says why.

    `code` identifies the error for programs; it is None unless a subclass sets it.
    """

    code: str | None = None


class UnreadableWeights(IncompatibleCheckpoint):
    """A file from which no weights can be read; `code` is for programs, the message for people.

    The codes: `file_missing`, `file_truncated`, `not_weights`, `pickle_with_code`, `too_large`,
    `no_such_key`, `ambiguous_weights`.
    """

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def shown(text: str) -> str:
    """A text of a file for a message: escaped, and cut after 80 characters."""
    escaped = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return escaped if len(escaped) <= _SHOWN_CHARACTERS else f"{escaped[:_SHOWN_CHARACTERS]}…"


def require_fractions(
    expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor], file_name: str
) -> None:
    """Raise UnreadableWeights for whole or complex numbers where the network has fractions.

    So has a file of quantised weights: copied as they are, they would be another network's.
    """
    wrong = [
        name
        for name, tensor in expected.items()
        if tensor.is_floating_point() and name in tensors and not tensors[name].is_floating_point()
    ]
    if wrong:
        types = ", ".join(sorted({str(tensors[name].dtype) for name in wrong}))
        raise UnreadableWeights(
            "not_weights",
            f"{file_name}: {_counted('weights', wrong)} have the type {types}, where the network "
            "has fractions: write the weights as floating-point numbers, as they were before they "
            "were quantised or converted",
        )


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
    fresh = _fresh(model, tensors, heads, head)
    _load(model, tensors, fresh)
    return fresh


def fits(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    heads: Heads,
    head: Literal["keep", "replace"] = "keep",
) -> bool:
    """Whether `load_for_training` would copy the tensors."""
    return not _filled(model, tensors, _fresh(model, tensors, heads, head))[1]


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


def adapted(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without what profilers add to state dicts, and with zeros for missing counters.

    As in torch's batch norm, a `num_batches_tracked` that the file does not have is 0.
    """
    kept = {
        name: tensor
        for name, tensor in tensors.items()
        if name in expected or name.rpartition(".")[2] not in _BOOKKEEPING
    }
    counters = {
        name: torch.zeros_like(tensor, device="cpu")
        for name, tensor in expected.items()
        if is_missing_counter(name, kept)
    }
    return kept | counters


def is_missing_counter(name: str, tensors: Mapping[str, Tensor]) -> bool:
    """Whether the tensors have the other buffers of a batch norm and not its counter `name`."""
    module, _, tensor = name.rpartition(".")
    return tensor == _COUNTER and name not in tensors and f"{module}.running_mean" in tensors


def distance(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> int:
    """How many names are missing, unexpected or misshapen."""
    both = expected.keys() & tensors.keys()
    misshapen = sum(expected[name].shape != tensors[name].shape for name in both)
    return len(expected.keys() ^ tensors.keys()) + misshapen


def _fresh(
    model: nn.Module, tensors: Mapping[str, Tensor], heads: Heads, head: Literal["keep", "replace"]
) -> list[str]:
    names = list(model.state_dict())
    stored = {heads.auxiliary_head_of(name) for name in tensors}
    absent = {n for n in names if heads.auxiliary_head_of(n) not in stored | {None}}
    replaced = {n for n in names if head == "replace" and heads.counts_classes(n)}
    return [name for name in names if name in absent | replaced]


def _load(model: nn.Module, tensors: Mapping[str, Tensor], fresh: Collection[str]) -> None:
    filled, wrong = _filled(model, tensors, fresh)
    if wrong:
        raise IncompatibleCheckpoint(f"the weights do not fit the network: {wrong}")
    model.load_state_dict(filled, strict=False)


def _filled(
    model: nn.Module, tensors: Mapping[str, Tensor], fresh: Collection[str]
) -> tuple[dict[str, Tensor], str]:
    """The tensors under all the network's names, and how they differ from what it needs."""
    own = model.state_dict()
    expected = {name: tensor for name, tensor in own.items() if name not in fresh}
    copied = {name: tensor for name, tensor in tensors.items() if name not in fresh}
    filled = adapted(expected, under_all_names(copied, shared_names(own)))
    return filled, differences(expected, filled)


def _counted(kind: str, names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    listed = ", ".join(shown(name) for name in names[:_SHOWN])
    return f"{len(names)} {kind} ({listed}{more})"
