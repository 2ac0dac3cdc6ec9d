"""Every network against numbers read off the published ones (`api_tests/facts/`)."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from service.contract.recipes import VARIANTS
from workers.models import FAMILIES, build

_FACTS: dict[str, dict[str, Any]] = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "facts" / "models.json.gz").read_bytes())
)
_OURS = [name for name, fact in _FACTS.items() if fact["recipe"] in FAMILIES]


def _value(name: str, tensor: torch.Tensor) -> torch.Tensor:
    u = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).random(tensor.numel())
    u = u.reshape(tuple(tensor.shape))
    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(tensor)
    if name.endswith("running_var"):
        value = 0.75 + 0.5 * u
    elif name.endswith("running_mean"):
        value = (u - 0.5) * 0.2
    elif tensor.dim() == 4:
        fan_in = np.prod(tensor.shape[1:])
        value = (u - 0.5) * 2 * np.sqrt(3) * np.sqrt(2 / fan_in)
    elif tensor.dim() == 2:
        value = (u - 0.5) * 0.02
    elif name.endswith(".weight"):
        value = 0.75 + 0.5 * u
    else:
        value = (u - 0.5) * 0.2
    return torch.from_numpy(value)


def _filled(fact: dict[str, Any]) -> nn.Module:
    network = build(fact["recipe"], fact["variant"]).double().eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(_value(name, tensor))
    return network


def _multiply_adds(network: nn.Module) -> int:
    total = 0

    def count(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    for module in network.modules():
        module.register_forward_hook(count)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 224, 224))
    return total


@pytest.mark.parametrize("name", _OURS)
def test_names_shapes_and_parameters_are_the_published_ones(name: str) -> None:
    fact = _FACTS[name]
    network = build(fact["recipe"], fact["variant"])
    ours = [[key, list(tensor.shape)] for key, tensor in network.state_dict().items()]
    assert ours == fact["state_dict"]
    sizes = {key: p.numel() for key, p in network.named_parameters()}
    assert sum(sizes.values()) == fact["params"]
    trunk = sum(n for key, n in sizes.items() if not key.startswith("predict_"))
    assert trunk == fact["params_without_aux_heads"]


@pytest.mark.parametrize("name", _OURS)
def test_multiply_adds_are_the_published_ones(name: str) -> None:
    fact = _FACTS[name]
    assert _multiply_adds(build(fact["recipe"], fact["variant"])) == fact["macs_224"]


@pytest.mark.parametrize("name", [name for name in _OURS if "logits" in _FACTS[name]])
def test_logits_are_the_published_ones_in_float64(name: str) -> None:
    fact = _FACTS[name]
    images = np.random.Generator(np.random.PCG64(0)).random((2, 3, 224, 224))
    with torch.no_grad():
        logits = _filled(fact)(torch.from_numpy((images - 0.5) * 2))
    expected = torch.tensor(fact["logits"], dtype=torch.float64)
    difference = (logits[:, : expected.shape[1]] - expected).abs().max().item()
    assert difference <= 1e-6 * fact["logits_std"]


@pytest.mark.parametrize("recipe", sorted(FAMILIES))
def test_an_image_of_another_size_gives_one_row_each(recipe: str) -> None:
    network = build(recipe, VARIANTS[recipe][0], num_classes=10).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 10)


def test_large_gives_four_outputs_in_train_mode() -> None:
    network = build("shufflenet_v2_large", "large", num_classes=7).train()
    with torch.no_grad():
        outputs = network(torch.zeros(2, 3, 64, 64))
    assert [tuple(o.shape) for o in outputs] == [(2, 7)] * 4


def test_an_unknown_variant_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"0\.5x, 1\.0x"):
        build("shufflenet_v2", "3x")
