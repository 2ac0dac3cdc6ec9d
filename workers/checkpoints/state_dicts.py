"""Finds the dictionaries of weights in what a file holds, whatever a program wrapped them in."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from torch import Tensor

from workers.checkpoints.placeholders import Placeholder
from workers.checkpoints.upstream import UnreadableWeights, is_missing_counter, shown

# torch.compile, FSDP and activation checkpointing put these into names wherever they were applied.
_WRAPPERS = re.compile(
    r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
_AVERAGES = re.compile(
    r"(?:^|[._])(?:ema|swa|avg|averaged?|shadow|teacher)(?:[._]|$)", re.IGNORECASE
)
_USUAL_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module")
_DEPTH, _PREFIXES, _GROUPS_A_LEVEL = 3, 4, 8
_MOST, _MOST_DICTIONARIES, _SHOWN = 12, 1000, 10


@dataclass(frozen=True)
class StateDict:
    """Tensors by name that may be the weights of a network.

    `key` says where they are: the keys of the dictionaries and the prefix of the names, joined by
    dots; empty for the content itself. `beside` are the names of the same dictionary that are not
    among them.
    """

    key: str
    tensors: Mapping[str, Tensor]
    beside: Sequence[str] = ()

    @property
    def is_average(self) -> bool:
        """Whether the key says that it is a moving average of the trained weights."""
        return _AVERAGES.search(self.key) is not None


def state_dicts_in(name: str, content: Any, key: str | None = None) -> list[StateDict]:
    """The candidates for weights in the content of the file `name`, those with most tensors first.

    With `key`, only those that are there or below it. Raises UnreadableWeights.
    """
    dictionaries = list(_dictionaries(content))
    candidates = list(chain.from_iterable(_groups(*each) for each in dictionaries))
    if not candidates:
        raise UnreadableWeights(
            "not_weights", f"{name} does not contain a dictionary of tensors: {_outline(content)}"
        )
    if key is not None:
        below = [s for s in candidates if s.key == key or s.key.startswith(f"{key}.")]
        if not below:
            keys = _listed(each or "no key" for each, _, _ in dictionaries)
            raise UnreadableWeights(
                "no_such_key", f"{name} has no weights under the key {shown(key)}, but under {keys}"
            )
        candidates = below
    return sorted(candidates, key=lambda s: -len(s.tensors))[:_MOST]


def chosen(name: str, fitting: Sequence[StateDict]) -> StateDict:
    """The one of several fitting candidates that a user means; raises UnreadableWeights.

    Trained weights come before their averages, and usual keys before others.
    """
    plain = [s for s in fitting if not s.is_average] or list(fitting)
    usual = [[s for s in plain if s.key.split(".")[0] == key] for key in ("", *_USUAL_KEYS)]
    for candidates in (plain, *usual):
        if len(candidates) == 1:
            return candidates[0]
    keys = _listed(s.key for s in fitting)
    raise UnreadableWeights(
        "ambiguous_weights", f"{name} has several weights, under {keys}: choose one by its key"
    )


def notes_on(choice: StateDict, fitting: Sequence[StateDict], names: Collection[str]) -> list[str]:
    """What a user should know of a choice for a network whose tensors have these names."""
    notes = []
    others = [s.key for s in fitting if s.key != choice.key]
    if others:
        notes.append(
            f"the weights under {shown(choice.key) or 'no key'} are taken; "
            f"the file also has some under {_listed(others)}: name that as the key to take them"
        )
    elif choice.is_average:
        notes.append(f"the weights are the average under {shown(choice.key)}")
    left_out = [*choice.beside, *(name for name in choice.tensors if name not in names)]
    if left_out:
        notes.append(
            f"{len(left_out)} values that the network does not have are left out "
            f"({_listed(left_out)})"
        )
    added = sum(is_missing_counter(name, choice.tensors) for name in names)
    if added:
        notes.append(f"{added} num_batches_tracked are missing: they are 0, as in torch")
    return notes


def _dictionaries(content: Any) -> Iterator[tuple[str, dict[str, Tensor], list[str]]]:
    """The key, the tensors and the other names of each dictionary that has tensors by name."""
    level = [("", content)] if isinstance(content, Mapping) else []
    left = _MOST_DICTIONARIES
    for _ in range(_DEPTH):
        below: list[tuple[str, Any]] = []
        # A dictionary may hold another a thousand times, and that one a third as often.
        for key, dictionary in level[:left]:
            named = {name: value for name, value in dictionary.items() if isinstance(name, str)}
            tensors = {name: value for name, value in named.items() if isinstance(value, Tensor)}
            others = [
                n for n, v in named.items() if n not in tensors and not isinstance(v, Mapping)
            ]
            if tensors:
                yield key, _without_wrappers(tensors), others
            below += [
                (_joined(key, name), value)
                for name, value in named.items()
                if isinstance(value, Mapping)
            ]
        left, level = left - len(level[:left]), below


def _groups(
    key: str, tensors: Mapping[str, Tensor], others: Sequence[str], depth: int = _PREFIXES
) -> Iterator[StateDict]:
    """These tensors, and those whose names have one prefix, without the prefix."""
    yield StateDict(key, tensors, others)
    if depth == 0:
        return
    groups: defaultdict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in tensors.items():
        prefix, dot, rest = name.partition(".")
        if dot:
            groups[prefix][rest] = tensor
    largest = sorted(groups, key=lambda prefix: -len(groups[prefix]))[:_GROUPS_A_LEVEL]
    for prefix in largest:
        group = groups[prefix]
        if tensors.keys().isdisjoint(group):
            outside = [name for name in tensors if not name.startswith(f"{prefix}.")]
            yield from _groups(_joined(key, prefix), group, [*others, *outside], depth - 1)
        elif prefix == "module":
            message = "the file has names both with and without 'module.'"
            raise UnreadableWeights("not_weights", message)


def _without_wrappers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    unwrapped = {_WRAPPERS.sub("", name): tensor for name, tensor in tensors.items()}
    return unwrapped if len(unwrapped) == len(tensors) else tensors


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _outline(content: Any) -> str:
    if isinstance(content, Placeholder):
        return "it is an object of a class"
    if not isinstance(content, Mapping):
        return f"it is a {type(content).__name__}"
    parts = [
        f"{name if isinstance(name, str) else type(name).__name__} "
        f"({'an object' if isinstance(value, Placeholder) else type(value).__name__})"
        for name, value in list(content.items())[:_SHOWN]
    ]
    return f"it has {_listed(parts)}" if parts else "it is empty"


def _listed(names: Iterable[str]) -> str:
    different = list(dict.fromkeys(names))
    more = ", …" if len(different) > _SHOWN else ""
    return ", ".join(shown(name) for name in different[:_SHOWN]) + more
