"""Every network against numbers read off the published ones (`api_tests/facts/`)."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from api_tests.facts.published import MODELS, fill, uniform
from api_tests.support.network_sizes import counted_multiply_adds
from workers.recipes import build
from workers.recipes.table import BUILTIN

Record = Callable[[str, object], None]

_LARGEST = 1e-6
"""The largest difference of a logit that is equal, in standard deviations of the logits."""

_LARGEST_OF = {"shufflenet_v2_exlarge exlarge": 1e-4}
"""Where it is another: so deep a network makes the rounding of a processor 1e10 times larger."""


def _shapes_of(name: str, num_classes: int = 1000) -> nn.Module:
    """The network without memory for its weights: names and shapes can be computed, values not."""
    with torch.device("meta"):
        return build(MODELS[name]["recipe"], MODELS[name]["variant"], num_classes)


def test_the_facts_have_every_variant_of_every_recipe() -> None:
    # A supernet has facts of its own.
    recipes = [recipe for recipe in BUILTIN if recipe.paths is None]
    variants = {f"{recipe.name} {variant}" for recipe in recipes for variant in recipe.variants}
    assert set(MODELS) == variants
    assert len(variants) == 24


@pytest.mark.parametrize("name", MODELS)
def test_names_shapes_and_parameters_are_the_published_ones(
    name: str, record_property: Record
) -> None:
    fact = MODELS[name]
    network = _shapes_of(name)
    ours = [[key, list(tensor.shape)] for key, tensor in network.state_dict().items()]
    assert ours == fact["state_dict"]
    sizes = {key: p.numel() for key, p in network.named_parameters()}
    assert sum(sizes.values()) == fact["params"]
    trunk = sum(n for key, n in sizes.items() if not key.startswith("predict_"))
    assert trunk == fact["params_without_aux_heads"]
    record_property("variant", name)
    record_property("tensors", len(ours))
    record_property("parameters", sum(sizes.values()))


@pytest.mark.parametrize("name", MODELS)
def test_multiply_adds_are_the_published_ones(name: str, record_property: Record) -> None:
    ours = counted_multiply_adds(_shapes_of(name))
    assert ours == MODELS[name]["macs_224"]
    record_property("variant", name)
    record_property("multiply-adds", ours)


@pytest.mark.parametrize("name", MODELS)
def test_logits_are_the_published_ones_in_float64(name: str, record_property: Record) -> None:
    fact = MODELS[name]
    network = _shapes_of(name).double().to_empty(device="cpu").eval()
    fill(network)
    with torch.no_grad():
        logits = network(uniform(0, 2, 3, 224, 224))
    expected = torch.tensor(fact["logits"], dtype=torch.float64)
    difference = (logits[:, : expected.shape[1]] - expected).abs().max().item()
    assert difference <= _LARGEST_OF.get(name, _LARGEST) * fact["logits_std"]
    assert logits.argmax(1).tolist() == fact["argmax"]
    record_property("variant", name)
    record_property("logits compared", expected.numel())
    record_property("largest difference / std", f"{difference / fact['logits_std']:.1e}")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [(32, 32), (96, 160), (448, 448)], ids=str)
def test_an_image_of_another_size_gives_one_row_each(name: str, size: tuple[int, int]) -> None:
    network = _shapes_of(name, num_classes=10).eval()
    assert network(torch.zeros(2, 3, *size, device="meta")).shape == (2, 10)


@pytest.mark.parametrize("name", ["shufflenet_v2_large large", "shufflenet_v2_exlarge exlarge"])
def test_both_names_of_a_squeeze_excite_layer_are_one_tensor(name: str) -> None:
    network = _shapes_of(name)
    twins = {"se_block.0.": "se_fc1.", "se_block.2.": "se_fc2."}
    pairs = [
        (key, key.replace(later, first))
        for key, _ in MODELS[name]["state_dict"]
        for later, first in twins.items()
        if later in key
    ]
    assert pairs
    for later, first in pairs:
        assert network.get_parameter(later) is network.get_parameter(first)


@pytest.mark.parametrize("name", ["shufflenet_v2_large large", "shufflenet_v2_exlarge exlarge"])
def test_a_network_with_heads_gives_four_outputs_in_train_mode(name: str) -> None:
    outputs = _shapes_of(name, num_classes=7).train()(torch.zeros(2, 3, 64, 64, device="meta"))
    assert [tuple(o.shape) for o in outputs] == [(2, 7)] * 4


def test_an_unknown_variant_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"0\.5x, 1\.0x"):
        build("shufflenet_v2", "3x")
