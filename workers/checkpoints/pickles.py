"""Reads pickles of torch.save without running code of theirs, and says how to make one loadable."""

import pickle
import pickletools
import re
import struct
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workers.checkpoints.placeholders import Placeholder, placeholders
from workers.checkpoints.upstream import UnreadableWeights, shown

_GLOBAL = re.compile(r"GLOBAL ([\w.<>-]+)")
_LEGACY_HEADER = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLES_OF_A_LEGACY_FILE = 5
_HEAD_BYTES = 64
_MOST_NAMES = 64
_NO_MEMORY = "can't allocate memory"
# In the older format, a module keeps the source of its class where tensors keep their storage.
_OF_A_MODULE = "Only persistent_load of storage is allowed"
_USUAL_KEYS = ("state_dict", "model_state_dict", "model", "net", "ema")


def unpickle(path: Path, *, zipped: bool) -> Any:
    """The content of a file of torch.save on the CPU; a `zipped` one's tensors are memory-mapped.

    Objects of classes that other programs keep beside their weights are placeholders. Raises
    UnreadableWeights, MemoryError.
    """
    try:
        return _load(path, placeholders(), zipped)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error, zipped) from error
    except MemoryError:
        raise
    # For damaged files torch raises whatever exception its parsers meet.
    except Exception as error:
        if _NO_MEMORY in str(error):
            raise MemoryError(f"{path.name} needs more memory than there is") from error
        raise _refusal(path, error, zipped) from error


def torch_lines(path: Path, weights: str) -> str:
    """The two lines that write the weights `weights` of the content `c` of a file alone."""
    load = f"c = torch.load({path.name!r}, map_location='cpu', weights_only=False)"
    return two_lines(path, load, weights)


def two_lines(path: Path, load: str, weights: str) -> str:
    """How a user who trusts a file writes its weights alone, given how to load and to find them."""
    target = f"{path.name.split('.')[0]}-weights.pth"
    return (
        "if you trust it, write its weights alone where it can be loaded, and import those: "
        f"`{load}` and `torch.save({weights}, {target!r})`"
    )


def _load(path: Path, stand_ins: Iterable[tuple[Callable[..., Any], str]], zipped: bool) -> Any:
    with warnings.catch_warnings(), torch.serialization.safe_globals(list(stand_ins)):
        # The warning about the pickle protocol is irrelevant: the file loads, or it is refused.
        warnings.simplefilter("ignore", UserWarning)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)


def _refusal(path: Path, error: Exception, zipped: bool) -> UnreadableWeights:
    if not zipped and _is_cut(path, error):
        size = path.stat().st_size
        return UnreadableWeights(
            "file_truncated",
            f"{path.name} is cut off: it begins like a file of weights and ends too early, "
            f"after {size} bytes; copy it again ({_reason(error)})",
        )
    if not zipped and not _has_legacy_header(path):
        load = f"with open({path.name!r}, 'rb') as f: c = pickle.load(f)"
        return UnreadableWeights(
            "not_weights",
            f"{path.name} is not a file of weights of torch.save, but another pickle; "
            f"{two_lines(path, load, 'c')}",
        )
    named = _GLOBAL.search(str(error))
    if named:
        return UnreadableWeights(
            "pickle_with_code",
            f"{path.name} is refused: its pickle calls {shown(named[1])}, which a file of weights "
            f"must not do; {torch_lines(path, _weights_expression(path, zipped))}",
        )
    return UnreadableWeights(
        "not_weights",
        f"{path.name} is not a file of weights that can be read: its pickle is damaged, or has "
        f"more than tensors, numbers and texts ({_reason(error)}); "
        f"{torch_lines(path, _weights_expression(path, zipped))}",
    )


def _reason(error: Exception) -> str:
    # After its first sentence torch advises what is of no use here.
    text = str(error)
    own = text.rpartition("WeightsUnpickler error: ")[2].strip() or type(error).__name__
    return shown(re.split(r"\n|\. ", own)[0])


def _has_legacy_header(path: Path) -> bool:
    with path.open("rb") as file:
        return _LEGACY_HEADER[2:-1] in file.read(_HEAD_BYTES)


def _is_cut(path: Path, error: Exception) -> bool:
    with path.open("rb") as file:
        head = file.read(len(_LEGACY_HEADER))
        if len(head) < len(_LEGACY_HEADER) and _LEGACY_HEADER.startswith(head):
            return True
        file.seek(0)
        try:
            for _ in range(_PICKLES_OF_A_LEGACY_FILE if _has_legacy_header(path) else 1):
                for _ in pickletools.genops(file):
                    pass
        except ValueError as end:
            return "unknown" not in str(end)
    return isinstance(error, (EOFError, struct.error)) or "EOF" in str(error)


def _weights_expression(path: Path, zipped: bool) -> str:
    """Where the weights are in the content `c` of a refused file, as an expression."""
    content: Any = None
    with suppress(Exception):
        content = _with_every_name(path, zipped)
    if isinstance(content, Placeholder):
        return "c.state_dict()"
    if isinstance(content, Mapping):
        usual = [key for key in _USUAL_KEYS if key in content]
        for key in (*usual, *(key for key in content if isinstance(key, str))):
            if isinstance(content[key], Placeholder) and key in usual:
                return f"c[{key!r}].state_dict()"
            if _has_tensors(content[key]):
                return f"c[{key!r}]"
        if _has_tensors(content):
            return "{n: t for n, t in c.items() if torch.is_tensor(t)}"
    return "c['state_dict']"


def _has_tensors(content: Any) -> bool:
    return isinstance(content, Mapping) and any(isinstance(v, Tensor) for v in content.values())


def _with_every_name(path: Path, zipped: bool) -> Any:
    stand_ins = list(placeholders())
    for _ in range(_MOST_NAMES):
        try:
            return _load(path, stand_ins, zipped)
        except pickle.UnpicklingError as error:
            if _OF_A_MODULE in str(error):
                return Placeholder()
            named = _GLOBAL.search(str(error))
            if named is None or "is blocked" in str(error):
                raise
            # torch leaves out the module of what is built in.
            name = named[1] if "." in named[1] else f"builtins.{named[1]}"
            stand_ins.append((Placeholder, name))
    return None
