"""Any architecture of DetNAS and of ShuffleNetV2+: its network, and the formula of its size."""

import pytest
import torch
from torch import Tensor, nn

from api_tests.facts.published import FAMILIES, MODELS, fill, uniform
from api_tests.support.network_sizes import counted_multiply_adds
from service.contract.architecture_costs import cost_of
from service.contract.architectures import Architecture
from service.contract.search_spaces import SearchSpace
from workers.networks.channel_split import split_shuffled
from workers.recipes import build
from workers.recipes.detnas.space import SPACES as DETNAS
from workers.recipes.detnas.space import WIDENED_3_8G
from workers.recipes.shufflenet_v2_plus.space import SPACES as PLUS

SPACES = [("detnas", space) for space in DETNAS] + [("shufflenet_v2_plus", each) for each in PLUS]
NAMED = [
    (recipe, space, variant)
    for recipe, space in [*SPACES, ("detnas", WIDENED_3_8G)]
    for variant in space.named
]


def network_of(recipe: str, variant: str, classes: int) -> nn.Module:
    with torch.device("meta"):
        return build(recipe, variant, classes)


def any_blocks(space: SearchSpace, seed: int) -> str:
    drawn = torch.Generator().manual_seed(seed)
    return "".join(map(str, torch.randint(4, (len(space.places),), generator=drawn).tolist()))


def test_every_published_network_is_named_in_its_space() -> None:
    named = {f"{recipe} {variant}" for recipe, _, variant in NAMED}
    assert named == {name for name in MODELS if name.startswith(("detnas", "shufflenet_v2_plus"))}


@pytest.mark.parametrize(("recipe", "space", "variant"), NAMED)
def test_the_formula_gives_the_published_size(
    recipe: str, space: SearchSpace, variant: str
) -> None:
    facts, architecture = MODELS[f"{recipe} {variant}"], space.architecture(variant)
    assert architecture is not None
    assert cost_of(space, architecture, 224, 1000) == (facts["params"], facts["macs_224"])


@pytest.mark.parametrize(("recipe", "space"), SPACES, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("seed", [0, 1])
def test_the_formula_gives_what_is_counted_on_a_built_network(
    recipe: str, space: SearchSpace, seed: int
) -> None:
    architecture = Architecture.of(any_blocks(space, seed))
    network = network_of(recipe, space.variant(architecture), 7)
    counted = sum(p.numel() for p in network.parameters()), counted_multiply_adds(network, 64)
    assert cost_of(space, architecture, 64, 7) == counted


def test_another_network_of_shufflenet_v2_plus_has_the_logits_of_the_original() -> None:
    facts = FAMILIES["shufflenet_v2_plus"]
    variant = f"{facts['size']}-b{facts['blocks']}"
    network = network_of("shufflenet_v2_plus", variant, 1000)
    network = network.double().to_empty(device="cpu").eval()
    assert sum(p.numel() for p in network.parameters()) == facts["params"]
    fill(network)
    with torch.no_grad():
        logits = network(uniform(0, 2, 3, 224, 224))
    expected = torch.tensor(facts["logits"], dtype=torch.float64)
    assert (logits[:, :8] - expected).abs().max().item() <= 1e-6 * facts["logits_std"]


@pytest.mark.parametrize(
    ("recipe", "variant", "expected"),
    [
        ("detnas", "b" + "0" * 19, '20 digits of 0 to 3} or {"blocks": 40 digits'),
        ("detnas", "3.8G-b" + "0" * 40, "COCO_FPN_3.8G"),
        ("shufflenet_v2_plus", "b" + "0" * 20, '{"space": "small", "blocks": 20 digits'),
        ("shufflenet_v2_plus", "huge-b" + "0" * 20, '{"space": "large", "blocks": 20 digits'),
    ],
)
def test_what_is_no_architecture_is_refused_with_what_there_is(
    recipe: str, variant: str, expected: str
) -> None:
    with pytest.raises(ValueError, match="any architecture") as refused:
        build(recipe, variant)
    assert expected in str(refused.value)


def test_the_halves_of_a_path_are_those_of_the_supernet() -> None:
    # Source: channel_shuffle1 of megvii-model/DetNAS, written as it is there.
    x = torch.arange(2 * 12 * 3.0).reshape(2, 12, 3, 1)
    shuffled = torch.transpose(x.view(2, 2, 6, 3, 1), 1, 2).contiguous().view(2, -1, 3, 1)
    passed, transformed = split_shuffled(x)
    assert passed.equal(shuffled[:, :6])
    assert transformed.equal(shuffled[:, 6:])


def test_a_path_computes_otherwise_than_the_published_network_of_the_same_blocks() -> None:
    torch.manual_seed(0)
    published = build("detnas", "COCO_FPN_300M", 5).eval()
    path = build("detnas", "300M.path-b21202112331300313132", 5).eval()
    path.load_state_dict(published.state_dict())
    images = torch.randn(1, 3, 32, 32)

    def logits(network: nn.Module) -> Tensor:
        with torch.no_grad():
            found: Tensor = network(images)
        return found

    assert logits(path).shape == logits(published).shape
    assert not logits(path).allclose(logits(published))
