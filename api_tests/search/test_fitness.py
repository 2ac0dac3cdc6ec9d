"""The fitness of a path: the published numbers, whichever paths it is measured with."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from api_tests.facts.published import SEARCH, fill, uniform
from service.contract.candidates import Fitness
from workers.networks.choices import parts_of, take, tensors_of_path
from workers.recipes import build
from workers.search.fitness import measured, measured_to_keep
from workers.search.path_tree import PathTree
from workers.training.recalibration import recalibrate

FACTS = SEARCH["recalibration"]


def published() -> nn.Module:
    with torch.device("meta"):
        network = build("supernet", "oneshot", 10, dropout=0.0)
    network = network.double().to_empty(device="cpu")
    fill(network)
    return network


def labelled() -> list[tuple[Tensor, Tensor]]:
    labels = np.random.Generator(np.random.PCG64(13)).integers(0, 10, (2, 10))
    return list(zip(uniform(12, 2, 10, 3, 224, 224), torch.from_numpy(labels), strict=True))


@pytest.mark.parametrize(("average", "name"), [("moving", "original"), ("cumulative",) * 2])
def test_it_is_the_one_of_the_original_for_the_mean_and_for_a_moving_one(
    average: Any, name: str
) -> None:
    facts = FACTS["architectures"]["readme"]
    batches = uniform(11, 3, 8, 3, 224, 224)
    (found,) = measured(parts_of(published()), [facts["blocks"]], batches, labelled(), average)
    expected = facts[name]
    assert found.loss == pytest.approx(expected["loss"], rel=1e-9)
    assert found.top1_error == pytest.approx(expected["top1_error"], rel=1e-12)
    assert found.top5_error == pytest.approx(expected["top5_error"], rel=1e-12)


PATHS = (
    "21012020202300003233",
    "21012020202300003230",
    "21012020202333333333",
    "33333333333333333333",
    "03333333333333333333",
    "21012020202300003232",
)


class Small:
    """A supernet of fresh weights, and images of 32 pixels."""

    def __init__(self, classes: int = 7) -> None:
        torch.manual_seed(4)
        self.network = build("supernet", "oneshot", classes)
        # As they are fresh, all logits would be 0 to six digits.
        for parameter in self.network.parameters():
            parameter.data *= 2
        self.batches = uniform(1, 3, 8, 3, 32, 32).float()
        labels = torch.arange(32) % classes
        self.images = list(zip(uniform(2, 2, 16, 3, 32, 32).float(), labels.split(16), strict=True))

    def measured(self, paths: Sequence[str]) -> list[Fitness]:
        return measured(parts_of(self.network), paths, self.batches, self.images, "cumulative")


def test_others_that_are_measured_with_it_change_no_bit_of_it() -> None:
    small = Small()
    one_at_a_time = [small.measured([path])[0] for path in PATHS]
    assert len({fitness.loss for fitness in one_at_a_time}) == len(PATHS)
    assert small.measured(PATHS) == one_at_a_time
    assert small.measured(PATHS[::-1]) == one_at_a_time[::-1]


def test_it_is_that_of_a_network_whose_batch_norms_are_recalibrated() -> None:
    small = Small()
    (found,) = small.measured(PATHS[:1])
    take(small.network, PATHS[0])
    recalibrate(small.network, small.batches, "cumulative")
    small.network.eval()
    with torch.no_grad():
        losses = [
            nn.functional.cross_entropy(small.network(images), labels, reduction="sum").item()
            for images, labels in small.images
        ]
    assert found.loss == sum(losses) / 32


def test_the_network_stays_as_it_is() -> None:
    small = Small()
    before = {name: tensor.clone() for name, tensor in small.network.state_dict().items()}
    small.measured(PATHS)
    after = small.network.state_dict()
    assert all(after[name].equal(tensor) for name, tensor in before.items())
    assert all(module.training for module in small.network.modules())


def test_units_that_paths_begin_with_alike_compute_once() -> None:
    small, computed = Small(), []
    parts = parts_of(small.network)
    parts.stem.register_forward_hook(lambda *_: computed.append("stem"))
    for place, choice in enumerate(parts.places):
        for unit in choice:
            unit.register_forward_hook(lambda *_, place=place: computed.append(place))
    tree = PathTree(parts, PATHS)
    with torch.inference_mode():
        assert sorted(number for number, _ in tree.logits(small.batches[0])) == list(range(6))
    assert computed.count("stem") == 1
    beginnings = [len({path[: place + 1] for path in PATHS}) for place in range(20)]
    assert [computed.count(place) for place in range(20)] == beginnings


def test_nothing_more_computes_once_it_is_not_to_go_on() -> None:
    small, computed = Small(), []
    parts = parts_of(small.network)
    for place, choice in enumerate(parts.places):
        for unit in choice:
            unit.register_forward_hook(lambda *_, place=place: computed.append(place))
    tree = PathTree(parts, PATHS, lambda: len(computed) < 3)
    with torch.inference_mode():
        assert list(tree.logits(small.batches[0])) == []
    assert computed == [0, 1, 2]


def test_a_network_whose_logits_are_not_numbers_has_no_loss_and_every_error() -> None:
    small = Small()
    with torch.no_grad():
        next(small.network.children())[0].weight.fill_(float("nan"))
    (found,) = small.measured(PATHS[:1])
    assert (found.loss, found.top1_error, found.top5_error) == (None, 1, 1)


def test_the_own_network_of_a_path_has_its_logits_and_its_fitness() -> None:
    small = Small()
    path = PATHS[0]
    batches = parts_of(small.network), path, small.batches, small.images
    fitness = measured_to_keep(*batches, "cumulative")
    assert [fitness] == small.measured([path])
    own = build("oneshot", f"b{path}", 7).eval()
    own.load_state_dict(tensors_of_path(small.network.state_dict(), path))
    take(small.network.eval(), path)
    losses = []
    with torch.no_grad():
        for images, labels in small.images:
            logits = own(images)
            assert logits.equal(small.network(images))
            losses.append(nn.functional.cross_entropy(logits, labels, reduction="sum").item())
    assert sum(losses) / 32 == fitness.loss


def test_batches_are_gone_through_without_a_path_too() -> None:
    small, seen = Small(), []

    def batches() -> Iterator[Tensor]:
        for batch in small.batches:
            seen.append(len(batch))
            yield batch

    assert measured(parts_of(small.network), [], batches(), small.images, "cumulative") == []
    assert seen == [8, 8, 8]
