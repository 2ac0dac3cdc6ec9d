"""The facts, and the weights that they were made with."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_FOLDER = Path(__file__).parent

MODELS: dict[str, dict[str, Any]] = json.loads(
    gzip.decompress((_FOLDER / "models.json.gz").read_bytes())
)
SEARCH: dict[str, Any] = json.loads(gzip.decompress((_FOLDER / "search.json.gz").read_bytes()))
FAMILIES: dict[str, Any] = json.loads(gzip.decompress((_FOLDER / "families.json.gz").read_bytes()))
TRACES: dict[str, Any] = json.loads((_FOLDER / "training_traces.json").read_text())


def uniform(seed: int, *shape: int) -> Tensor:
    """float64 in [-1, 1), as the images of the facts were drawn."""
    drawn = np.random.Generator(np.random.PCG64(seed)).random(shape)
    return torch.from_numpy((drawn - 0.5) * 2)


def fill(network: nn.Module) -> None:
    """Give each tensor the values that follow from its name; of two names, the later counts."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(_value(name, tensor))


def _value(name: str, tensor: Tensor) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(tensor)
    centred = uniform(zlib.crc32(name.encode()), *tensor.shape) / 2
    if name.endswith("running_var"):
        return centred * 0.5 + 1.0
    if name.endswith("running_mean"):
        return centred * 0.2
    if tensor.dim() == 4:
        fan_in = tensor[0].numel()
        return centred * 2 * 3**0.5 * (2 / fan_in) ** 0.5
    if tensor.dim() == 2:
        return centred * 0.02
    return centred * 0.5 + 1.0 if name.endswith(".weight") else centred * 0.2
