"""Recipe, variant and class count from nothing but names and shapes."""

import pytest
import torch
from torch import Tensor

from workers.exchange.errors import ImportRefused
from workers.exchange.identify import identify, signature
from workers.recipes import build
from workers.recipes.table import BUILTIN, recipe_named

EVERY = [(recipe.name, variant) for recipe in BUILTIN for variant in recipe.variants]


def _named(recipe: str, variant: str, classes: int = 1000) -> dict[str, Tensor]:
    with torch.device("meta"):
        tensors: dict[str, Tensor] = build(recipe, variant, classes).state_dict()
    return tensors


@pytest.mark.parametrize(("recipe", "variant"), EVERY)
def test_each_network_is_known_by_its_tensors(recipe: str, variant: str) -> None:
    assert identify(_named(recipe, variant, 7)) == (recipe, variant, 7)


def test_the_names_of_all_networks_take_no_memory() -> None:
    tensors = [t for of in EVERY for t in signature(*of).tensors.values()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


@pytest.mark.parametrize("recipe", ["shufflenet_v2_large", "shufflenet_v2_exlarge"])
def test_a_network_without_its_auxiliary_heads_is_still_known(recipe: str) -> None:
    (variant,) = recipe_named(recipe).variants
    tensors = _named(recipe, variant)
    bare = {name: t for name, t in tensors.items() if not name.startswith("predict_")}
    assert len(bare) < len(tensors)
    assert identify(bare) == (recipe, variant, 1000)


@pytest.mark.parametrize("stored_name", [".se_fc1.", ".se_block.0."])
def test_one_of_the_two_names_of_a_tensor_is_enough(stored_name: str) -> None:
    tensors = _named("shufflenet_v2_large", "large")
    dropped = ({".se_fc1.", ".se_block.0."} - {stored_name}).pop()
    single = {name: t for name, t in tensors.items() if dropped not in name}
    assert identify(single) == ("shufflenet_v2_large", "large", 1000)


def test_part_of_an_auxiliary_head_is_not_enough() -> None:
    tensors = _named("shufflenet_v2_large", "large")
    del tensors["predict_28.fc.bias"]
    with pytest.raises(ImportRefused, match=r"1 missing \(predict_28\.fc\.bias\)"):
        identify(tensors)


def test_a_network_that_was_asked_for_is_compared_with_the_one_that_is_there() -> None:
    tensors = _named("shufflenet_v2", "1.0x")
    assert identify(tensors, "shufflenet_v2", "1.0x").variant == "1.0x"
    assert identify(tensors, "shufflenet_v2").variant == "1.0x"
    with pytest.raises(ImportRefused) as refused:
        identify(tensors, "shufflenet_v2", "0.5x")
    message = "the file has weights of shufflenet_v2 1.0x, not of shufflenet_v2 0.5x"
    assert (refused.value.code, str(refused.value)) == ("other_network", message)


def test_what_fits_nothing_is_told_its_nearest_with_the_first_ten_differences() -> None:
    tensors = _named("shufflenet_v1", "1.5x-g8")
    renamed = {f"x{n}" if i < 12 else n: t for i, (n, t) in enumerate(tensors.items())}
    with pytest.raises(ImportRefused) as refused:
        identify(renamed)
    message = str(refused.value)
    assert refused.value.code == "unknown_network"
    assert "the nearest is shufflenet_v1 1.5x-g8: 12 missing (first_conv.0.weight" in message
    assert "12 unexpected (xfirst_conv.0.weight" in message
    assert message.count("xf") == 10


def test_tensors_of_a_recipe_that_was_asked_for_are_compared_with_it_alone() -> None:
    tensors = _named("shufflenet_v2", "1.0x")
    tensors["first_conv.0.weight"] = torch.empty(1, device="meta")
    with pytest.raises(ImportRefused, match="does not fit oneshot; the nearest is oneshot searche"):
        identify(tensors, "oneshot")
