"""Networks of any architecture, against numbers read off the original ones."""

import pytest
import torch
from torch import nn

from api_tests.facts.published import SEARCH, fill, uniform
from service.contract.architecture_costs import cost_of
from service.contract.architectures import Architecture
from workers.recipes import build
from workers.recipes.oneshot.space import SPACE

NETWORKS = SEARCH["networks"]
_LARGEST = 1e-6
"""The largest difference of a logit that is equal, in standard deviations of the logits."""


def _variant(name: str) -> str:
    facts = NETWORKS[name]
    return Architecture.of(facts["blocks"], facts["scale_ids"]).text


def _network(variant: str, classes: int = 1000) -> nn.Module:
    with torch.device("meta"):
        return build("oneshot", variant, classes)


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_and_logits_are_those_of_the_original(name: str) -> None:
    facts = NETWORKS[name]
    network = _network(_variant(name)).double().to_empty(device="cpu").eval()
    assert sum(p.numel() for p in network.parameters()) == facts["params"]
    assert len(network.state_dict()) == facts["state_dict_tensors"]
    fill(network)
    with torch.no_grad():
        logits = network(uniform(0, 2, 3, 224, 224))
    expected = torch.tensor(facts["logits"], dtype=torch.float64)
    difference = (logits[:, : expected.shape[1]] - expected).abs().max().item()
    assert difference <= _LARGEST * facts["logits_std"]
    assert logits.argmax(1).tolist() == facts["argmax"]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_formula_gives_the_size_of_the_original(name: str) -> None:
    facts = NETWORKS[name]
    architecture = Architecture.of(facts["blocks"], facts["scale_ids"])
    assert cost_of(SPACE, architecture, 224, 1000) == (facts["params"], facts["macs_224"])


@pytest.mark.parametrize("seed", range(3))
def test_the_formula_counts_the_parameters_of_a_built_network(seed: int) -> None:
    drawn = torch.Generator().manual_seed(seed)
    blocks = torch.randint(4, (20,), generator=drawn).tolist()
    widths = torch.randint(8, (20,), generator=drawn).tolist()
    architecture = Architecture("".join(map(str, blocks)), "".join(map(str, widths)))
    network = _network(architecture.text, 7)
    counted = sum(p.numel() for p in network.parameters())
    assert cost_of(SPACE, architecture, 64, 7).parameters == counted
    images = torch.zeros(2, 3, 64, 64, device="meta")
    assert network.eval()(images).shape == (2, 7)


@pytest.mark.parametrize("variant", ["b" + "0" * 19, "b" + "4" * 20, "found"])
def test_what_is_no_architecture_is_refused_with_what_there_is(variant: str) -> None:
    with pytest.raises(ValueError, match=r'searched, and any architecture: \{"blocks": 20 digits'):
        build("oneshot", variant)
