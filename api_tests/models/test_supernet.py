"""The supernet against numbers read off the original program."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from api_tests.facts.published import SEARCH, fill, uniform
from workers.checkpoints.optimizer_state import OptimizerState
from workers.networks.choices import Choice, take
from workers.recipes import build
from workers.recipes.supernet import RECIPE, SupernetParams
from workers.recipes.supernet.sampler import (
    draw,
    fixed_places,
    multiply_adds,
    path_of_step,
    paths_of_validation,
)
from workers.training.recalibration import recalibrate, statistics_kept
from workers.training.step import TrainingStep

FACTS, TRACE = SEARCH["supernet"], SEARCH["training"]
RECALIBRATION = SEARCH["recalibration"]
PARAMS = SupernetParams()


def supernet(classes: int = 1000) -> nn.Module:
    with torch.device("meta"):
        network = build("supernet", "oneshot", classes, dropout=0.0)
    network = network.double().to_empty(device="cpu")
    fill(network)
    return network


def test_names_shapes_and_parameters_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = build("supernet", "oneshot")
    ours = [[key, list(tensor.shape)] for key, tensor in network.state_dict().items()]
    assert ours == FACTS["state_dict"]
    assert len(ours) == 1337
    sizes = [p.numel() for p in network.parameters()]
    assert (sum(sizes), len(sizes)) == (FACTS["parameters"], FACTS["parameter_tensors"])


def test_fresh_weights_are_drawn_as_for_the_other_networks() -> None:
    assert all(p.isfinite().all() for p in build("supernet", "oneshot", 7).parameters())


def test_logits_through_given_paths_are_the_published_ones() -> None:
    network = supernet().eval()
    for fact in FACTS["logits"].values():
        take(network, fact["blocks"])
        with torch.no_grad():
            logits = network(uniform(0, 2, 3, 224, 224))
        expected = torch.tensor(fact["logits"], dtype=torch.float64)
        difference = (logits[:, : expected.shape[1]] - expected).abs().max().item()
        assert difference <= 1e-6 * fact["logits_std"]


@pytest.mark.parametrize("name", ["fixed_architectures", "sampled_with_numpy_seed_0"])
def test_the_first_iterations_are_those_of_the_original(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace: dict[str, Any] = TRACE[name]
    generator = np.random.RandomState(0)
    given = [step["blocks"] for step in trace["steps"]]
    paths = given if name.startswith("fixed") else [draw(generator, PARAMS) for _ in given]
    assert paths == given
    monkeypatch.setattr(
        "workers.recipes.supernet.sampler.path_of_step", lambda _, step: paths[step - 1]
    )
    network = supernet()
    before = {key: p.detach().clone() for key, p in network.named_parameters()}
    params = SupernetParams(total_iters=10, batch_size=4, learning_rate=0.01, dropout=0.0)
    optimizer = RECIPE.optimizer_of(network, params)
    step = TrainingStep(RECIPE, params, network, optimizer)
    images = uniform(1, 3, 4, 3, 224, 224)
    labels = torch.from_numpy(np.random.Generator(np.random.PCG64(2)).integers(0, 1000, (3, 4)))
    for number, fact in enumerate(trace["steps"], start=1):
        loss, _ = step.train(number, images[number - 1], labels[number - 1])
        assert loss.item() == pytest.approx(fact["loss"], rel=1e-9)
        used = sum(p.grad is not None for p in network.parameters())
        assert used == fact["tensors_with_gradient"]
        assert optimizer.param_groups[0]["lr"] == pytest.approx(fact["lr"], rel=1e-12)
    unmoved = [key for key, p in network.named_parameters() if p.equal(before[key])]
    moved = len(before) - len(unmoved)
    with_momentum = [p for p in network.parameters() if optimizer.state.get(p)]
    assert len(with_momentum) == moved == trace.get("with_momentum_after_3", moved)
    assert moved == trace.get("moved_after_3", moved)
    tensors = network.state_dict()
    for key, total in trace.get("checksum", {}).items():
        assert tensors[key].abs().sum().item() == pytest.approx(total, rel=1e-9), key
    momenta = OptimizerState(network, optimizer).tensors()
    for key, total in trace.get("momentum_checksum", {}).items():
        assert momenta[key].abs().sum().item() == pytest.approx(total, rel=1e-9), key
    kept = sum(tensors[key].abs().sum().item() for key in unmoved)
    assert kept == pytest.approx(trace.get("unmoved_checksum", kept), rel=1e-9)


def test_what_a_path_does_not_use_is_untouched_bit_for_bit() -> None:
    torch.manual_seed(0)
    network = build("supernet", "oneshot", 5, dropout=0.0)
    params = SupernetParams(total_iters=10, sampling="uniform")
    optimizer = RECIPE.optimizer_of(network, params)
    step = TrainingStep(RECIPE, params, network, optimizer)
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([0, 1])
    for number in (1, 2, 3):
        before = deepcopy((network.state_dict(), optimizer.state_dict()["state"]))
        step.train(number, images, labels)
        path = path_of_step(params, number)
        unused = {
            f"features.{place}.{block}."
            for place, taken in enumerate(path)
            for block in range(4)
            if block != int(taken)
        }
        after = optimizer.state_dict()["state"]
        for index, (key, weight) in enumerate(network.named_parameters()):
            if key.startswith(tuple(unused)):
                assert weight.equal(before[0][key]), key
                assert (index in after) == (index in before[1])
                if index in after:
                    momentum = after[index]["momentum_buffer"]
                    assert momentum.equal(before[1][index]["momentum_buffer"]), key


def test_the_sampler_draws_as_the_original() -> None:
    generator = np.random.RandomState(0)
    for fact in TRACE["sampler_first_50_numpy_seed_0"]:
        path = draw(generator, PARAMS)
        assert (path, multiply_adds(path)) == (fact["blocks"], fact["macs"])


def test_a_path_follows_from_seed_and_step_alone() -> None:
    paths = [path_of_step(PARAMS, step) for step in range(1, 6)]
    assert [path_of_step(PARAMS, step) for step in (5, 4, 3, 2, 1)] == paths[::-1]
    assert len(set(paths)) == 5
    assert path_of_step(SupernetParams(seed=1), 1) != paths[0]
    assert len(set(paths_of_validation(PARAMS))) == PARAMS.validated_paths


def test_a_path_has_allowed_choices_alone() -> None:
    choices = ("0",) * 10 + ("13",) * 10
    for sampling in ("uniform", "macs_uniform"):
        params = SupernetParams(choices=choices, sampling=sampling)
        path = path_of_step(params, 1)
        assert set(path[:10]) == {"0"}
        assert set(path[10:]) <= {"1", "3"}


def test_a_ramp_frees_the_places_one_after_another_the_last_one_first() -> None:
    choices = ("1",) * 4 + ("310",) * 16
    params = SupernetParams(total_iters=100, ramp=0.64, choices=choices, sampling="uniform")
    fixed = [fixed_places(params, step) for step in range(1, 101)]
    # 16 places have several choices, and the ramp has 64 iterations.
    assert [len(each) for each in fixed] == [16 - min(step // 4, 16) for step in range(1, 101)]
    assert all(each == set(range(4, 4 + len(each))) for each in fixed)
    for step, each in enumerate(fixed, start=1):
        path = path_of_step(params, step)
        assert path[:4] == "1111"
        assert all(path[place] == "3" for place in each)
    free = [path_of_step(params, step)[19] for step in range(4, 101)]
    assert set(free) == {"3", "1", "0"}


def test_after_its_ramp_a_supernet_draws_the_paths_that_it_draws_without_one() -> None:
    without, ramped = (SupernetParams(total_iters=50, ramp=ramp) for ramp in (0.0, 0.2))
    same = [path_of_step(without, t) == path_of_step(ramped, t) for t in range(1, 51)]
    assert same == [False] * 9 + [True] * 41
    assert paths_of_validation(ramped) == paths_of_validation(without)
    assert not fixed_places(SupernetParams(total_iters=3, ramp=1.0), 3)


def test_paths_without_a_ramp_are_those_of_before_there_was_one() -> None:
    assert [path_of_step(PARAMS, step) for step in (1, 2, 3)] == [
        "20200310103010233020",
        "32002223333323231012",
        "32221031002100232232",
    ]
    uniform = SupernetParams(seed=7, sampling="uniform", choices=("0",) * 10 + ("13",) * 10)
    assert [path_of_step(uniform, step) for step in (1, 150_000)] == [
        "00000000001133131311",
        "00000000003331131133",
    ]


@pytest.mark.parametrize(("average", "name"), [("moving", "original"), ("cumulative",) * 2])
@pytest.mark.parametrize("architecture", RECALIBRATION["architectures"])
def test_a_recalibrated_path_has_the_published_statistics_and_errors(
    architecture: str, average: Any, name: str
) -> None:
    facts = RECALIBRATION["architectures"][architecture]
    network = supernet(10)
    take(network, facts["blocks"])
    with statistics_kept(network):
        recalibrate(network, uniform(11, 3, 8, 3, 224, 224), average)
        logits = _logits(network)
        used = _norms_on_path(network)
        fact = facts[name]
        assert len(used) == fact["batch_norms_on_path"]
        for buffer in ("running_mean", "running_var"):
            total = sum(getattr(norm, buffer).abs().sum().item() for norm in used)
            assert total == pytest.approx(fact[buffer], rel=1e-9)
    labels = torch.from_numpy(np.random.Generator(np.random.PCG64(13)).integers(0, 10, (2, 10)))
    assert cross_entropy(logits, labels.flatten()).item() == pytest.approx(fact["loss"], rel=1e-9)
    first = torch.tensor(fact["logits_first_image"], dtype=torch.float64)
    assert (logits[0] - first).abs().max().item() <= 1e-6 * fact["logits_std"]
    kept = _logits(network)[0]
    inherited = torch.tensor(facts["inherited"]["logits_first_image"], dtype=torch.float64)
    assert (kept - inherited).abs().max().item() <= 1e-6 * facts["inherited"]["logits_std"]


def _logits(network: nn.Module) -> Tensor:
    network.eval()
    with torch.no_grad():
        return torch.cat([network(batch) for batch in uniform(12, 2, 10, 3, 224, 224)])


def _norms_on_path(network: nn.Module) -> list[nn.BatchNorm2d]:
    unused = {
        id(module)
        for choice in network.modules()
        if isinstance(choice, Choice)
        for number, unit in enumerate(choice)
        if number != choice.taken
        for module in unit.modules()
    }
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return [norm for norm in norms if id(norm) not in unused]
