"""The supernets of DetNAS against numbers read off the original program."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from api_tests.facts.published import FAMILIES, SEARCH, fill, uniform
from service.contract.architectures import Architecture
from workers.networks.choices import take
from workers.recipes import build
from workers.recipes.detnas_supernet import (
    RECIPE_1_3G,
    RECIPE_300M,
    DetNASSupernet300MParams,
    DetNASSupernet1300MParams,
)
from workers.recipes.supernet.sampler import draw, multiply_adds, path_of_step
from workers.recipes.table import recipe_named

FACTS = FAMILIES["detnas_supernet"]


def shapes_of(space: str) -> nn.Module:
    with torch.device("meta"):
        return build(f"detnas_supernet_{space}", space)


def test_names_shapes_and_parameters_are_the_published_ones() -> None:
    network = shapes_of("300M")
    ours = [[key, list(tensor.shape)] for key, tensor in network.state_dict().items()]
    assert ours == FACTS["300M"]["state_dict"]
    assert sum(p.numel() for p in network.parameters()) == FACTS["300M"]["parameters"]


def test_the_larger_one_has_as_many_tensors_and_parameters_as_the_published() -> None:
    network, facts = shapes_of("1.3G"), FACTS["1.3G"]
    assert len(network.state_dict()) == facts["tensors"]
    assert sum(p.numel() for p in network.parameters()) == facts["parameters"]
    assert len(DetNASSupernet1300MParams().choices) == facts["places"]


def test_logits_through_a_path_are_the_published_ones() -> None:
    facts = FACTS["300M"]
    network = shapes_of("300M").double().to_empty(device="cpu").eval()
    fill(network)
    take(network, facts["blocks"])
    with torch.no_grad():
        logits = network(uniform(0, 2, 3, 224, 224))
    expected = torch.tensor(facts["logits"], dtype=torch.float64)
    difference = (logits[:, : expected.shape[1]] - expected).abs().max().item()
    assert difference <= 1e-6 * facts["logits_std"]


@pytest.mark.parametrize(
    ("recipe", "path", "variant"),
    [
        (RECIPE_300M, "21202112331300313132", "300M.path-b21202112331300313132"),
        (RECIPE_1_3G, "0123" * 10, f"1.3G.path-b{'0123' * 10}"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_path_is_a_network_of_its_own_with_the_same_logits(
    recipe: object, path: str, variant: str
) -> None:
    assert recipe in (RECIPE_300M, RECIPE_1_3G)
    supernet = RECIPE_300M if recipe is RECIPE_300M else RECIPE_1_3G
    assert supernet.paths is not None
    paths = recipe_named(supernet.paths.recipe)
    space = paths.spaces.named(supernet.paths.space)
    assert space is not None
    assert space.variant(Architecture.of(path)) == variant
    torch.manual_seed(0)
    network = supernet.build(next(iter(supernet.variants)), 5, supernet.params()).eval()
    take(network, path)
    alone = paths.build(variant, 5, paths.params()).eval()
    alone.load_state_dict(supernet.tensors_of_path(network.state_dict(), path), strict=True)
    images = torch.randn(2, 3, 32, 32)
    stem, places, tail = supernet.parts(network)
    with torch.no_grad():
        expected = network(images)
        assert alone(images).equal(expected)
        assert tail(nn.Sequential(*places)(stem(images))).equal(expected)


def test_the_sampler_draws_as_the_original() -> None:
    # The original of 300M counts by the table of OneShot, whose numbers are the same.
    generator, params = np.random.RandomState(0), DetNASSupernet300MParams()
    for fact in SEARCH["training"]["sampler_first_50_numpy_seed_0"]:
        path = draw(generator, params)
        assert (path, multiply_adds(path, type(params))) == (fact["blocks"], fact["macs"])


def test_the_larger_one_draws_paths_of_its_own_space() -> None:
    params = DetNASSupernet1300MParams(sampling="macs_uniform")
    paths = [path_of_step(params, step) for step in range(1, 6)]
    assert {len(path) for path in paths} == {40}
    costs = [multiply_adds(path, type(params)) for path in paths]
    assert all(params.sampling_macs_from <= each <= params.sampling_macs_to for each in costs)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"choices": ("0123",) * 20}, "at least 40 items"),
        ({"sampling": "macs_uniform", "sampling_macs_from": 0, "sampling_macs_to": 10}, "raise"),
    ],
)
def test_what_fits_another_space_is_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DetNASSupernet1300MParams.model_validate(params)


def test_its_training_is_the_published_one() -> None:
    params = DetNASSupernet300MParams()
    published = (params.total_iters, params.batch_size, params.learning_rate, params.momentum)
    assert published == (300_000, 1024, 0.5, 0.9)
    assert (params.weight_decay, params.label_smoothing) == (4e-5, 0.1)
    assert (params.sampling_macs_from, params.sampling_macs_to) == (290_000_000, 360_000_000)
