"""Copies tensors into one block of host memory with the layout of a safetensors file."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

_CHUNK_BYTES = 1 << 20
_DTYPES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int16: "I16",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.bool: "BOOL",
}


def shared_names(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Later name -> first name, for each tensor that has two names."""
    first: dict[tuple[object, ...], str] = {}
    aliases = {}
    for name, tensor in tensors.items():
        if tensor.numel() == 0:
            continue
        storage = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        if first.setdefault(storage, name) != name:
            aliases[name] = first[storage]
    return aliases


def under_all_names(tensors: Mapping[str, Tensor], aliases: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors by name; one that is stored under one of two names is under both.

    `aliases` maps the later name to the first, as `shared_names` does.
    """
    named = dict(tensors)
    for later, first in aliases.items():
        for name, twin in ((later, first), (first, later)):
            if name not in named and twin in named:
                named[name] = named[twin]
    return named


def storable(tensor: Tensor) -> bool:
    """Whether a checkpoint can hold a tensor of this type and memory layout."""
    if tensor.is_meta or tensor.is_nested or tensor.is_neg():
        return False
    return tensor.dtype in _DTYPES and tensor.layout == torch.strided


def in_file_order(tensors: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    """The tensors by element size, the largest first, then by name.

    This is the order of the safetensors library, in which each tensor is aligned.
    """
    return sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))


def file_header(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """The header of a safetensors file, which the data in the order of `in_file_order` follows.

    Eight bytes with the length of the JSON header, and the JSON header
    (https://huggingface.co/docs/safetensors).
    """
    fields: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    start = 0
    for name, tensor in in_file_order(tensors):
        end = start + tensor.nbytes
        fields[name] = {
            "dtype": _DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    header = text.encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header


class TensorBlock:
    """Preallocated host memory for one set of tensors; pinned if they are on a CUDA device.

    The safetensors library cannot hash the bytes while it writes them, so the file format is
    produced here.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._layout = _layout(tensors)
        ordered = in_file_order(tensors)
        size = sum(tensor.nbytes for _, tensor in ordered)
        pinned = any(tensor.is_cuda for tensor in tensors.values())
        self._data = torch.empty(size, dtype=torch.uint8, pin_memory=pinned)
        # Touching the pages now keeps the first save from waiting for their allocation.
        self._data.zero_()
        self._views: dict[str, Tensor] = {}
        start = 0
        for name, tensor in ordered:
            end = start + tensor.nbytes
            self._views[name] = self._data[start:end].view(tensor.dtype).view(tensor.shape)
            start = end
        self._header = file_header(tensors)

    def fits(self, tensors: Mapping[str, Tensor]) -> bool:
        """Whether names, shapes, types and devices equal those of the block's tensors."""
        return _layout(tensors) == self._layout

    def fill(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the tensors into the block; copies from CUDA are queued on the current stream."""
        # One call for all tensors, since a thousand single calls cost more than the copying.
        sources = [tensors[name] for name in self._views]
        with torch.no_grad():
            torch._foreach_copy_(list(self._views.values()), sources, non_blocking=True)

    def chunks(self) -> Iterator[bytes | memoryview]:
        """The bytes of the safetensors file, in chunks."""
        yield self._header
        data = memoryview(self._data.numpy().data)
        for start in range(0, len(data), _CHUNK_BYTES):
            yield data[start : start + _CHUNK_BYTES]


def _layout(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype, bool]]:
    return {name: (t.shape, t.dtype, t.is_cuda) for name, t in tensors.items()}
