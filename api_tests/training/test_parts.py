"""A step in parts: the gradient of the whole batch, in less memory."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from api_tests.support.tiny_network import CLASSES, TINY, batch
from api_tests.support.tiny_training import ALONE, CHANNELS_LAST, COMPILED, PARAMS, tiny_state
from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks
from workers.training.execution import ORIGINAL, Execution, forward_of
from workers.training.step import TrainingStep
from workers.training.synchronised_batch_norm import SynchronisedBatchNorm2d, synchronise


def _params(parts: int) -> RecipeParams:
    return PARAMS.model_copy(update={"accumulate": parts, "dropout": 0.0, "label_smoothing": 0.1})


def _step(
    network: nn.Module, parts: int, execution: Execution = ORIGINAL, **options: Any
) -> TrainingStep:
    params = _params(parts)
    return TrainingStep(
        TINY, params, network, TINY.optimizer_of(network, params), execution, **options
    )


def _plain_network() -> nn.Module:
    """Without batch norm every image counts by itself."""
    torch.manual_seed(3)
    layers = (nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(4, CLASSES)).double()


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_the_gradient_of_parts_is_that_of_the_whole_batch(parts: int) -> None:
    images, labels = batch(0)
    whole, divided = _plain_network(), _plain_network()
    loss, logits = _step(whole, 1).train(1, images.double(), labels)
    loss_of_parts, logits_of_parts = _step(divided, parts).train(1, images.double(), labels)
    for one, other in zip(whole.parameters(), divided.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(loss, loss_of_parts, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(logits, logits_of_parts, rtol=1e-12, atol=1e-14)


class Counted(nn.Module):
    """A network that notes how many images it is given at once."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.counts: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.counts.append(len(images))
        logits: Tensor = self.network(images)
        return logits


def test_a_part_is_all_that_the_network_sees_at_once_in_training_and_recalibration() -> None:
    network = Counted(_plain_network().float())
    step = _step(network, 4)
    step.train(1, *batch(0))
    step.recalibrate(1, batch(1)[0])
    assert network.counts == [2] * 8


def test_recalibrated_statistics_are_the_mean_over_all_parts() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.LazyLinear(CLASSES))
    images = torch.cat([batch(number)[0] for number in range(2)])
    network(images)
    step = _step(network, 4)
    for number, of_batch in enumerate(images.chunk(2), 1):
        step.recalibrate(number, of_batch)
    norm = network[0]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_mean, images.mean((0, 2, 3)))
    variances = torch.stack([part.var((0, 2, 3)) for part in images.chunk(8)])
    torch.testing.assert_close(norm.running_var, variances.mean(0))


@pytest.mark.xdist_group("training")
@pytest.mark.usefixtures("compile_cache")
def test_a_compiled_step_in_parts_has_the_losses_of_an_eager_one() -> None:
    def losses(execution: Execution) -> list[float]:
        network = tiny_state(execution, params=_params(1)).network
        step = _step(network, 2, execution)
        return [step.train(number, *batch(number))[0].item() for number in (1, 2, 3)]

    assert losses(COMPILED) == pytest.approx(losses(CHANNELS_LAST), rel=1e-5)


def test_a_compiled_step_in_parts_replays_no_graph_that_would_write_over_its_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modes: list[str] = []

    def compiled(network: nn.Module, *, mode: str, **_: Any) -> nn.Module:
        modes.append(mode)
        return network

    monkeypatch.setattr(torch, "compile", compiled)
    for parts in (1, 2):
        forward_of(_plain_network(), torch.device("cuda"), COMPILED, parts=parts)
    assert modes == ["reduce-overhead", "default"]


TWO = Ranks(rank=0, world_size=2, device=torch.device("cpu"))


def test_synchronised_batch_norm_keeps_the_weights_their_names_and_two_names_of_one() -> None:
    torch.manual_seed(0)
    network = TINY.build("searched", CLASSES, PARAMS)
    network.add_module("again", network[1])  # type: ignore[operator]
    before = {name: value.data_ptr() for name, value in network.state_dict().items()}
    synchronise(network, TWO)
    assert {name: value.data_ptr() for name, value in network.state_dict().items()} == before
    assert isinstance(network[1], SynchronisedBatchNorm2d)  # type: ignore[index]
    assert network.again is network[1]  # type: ignore[index]


def test_a_copy_of_a_synchronised_network_is_a_ranks_own() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3))
    synchronise(network, TWO)
    copy = deepcopy(network)
    assert type(copy[0]) is nn.BatchNorm2d
    # Nothing is exchanged, which would fail here.
    images = batch(0)[0]
    copy.train()(images)
    assert copy[0].num_batches_tracked == 1
    assert network[0].num_batches_tracked == 0
    network.eval()(images)


def test_a_network_whose_batch_norm_cannot_be_synchronised_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3 * 32 * 32))
    with pytest.raises(InvalidData, match=r"BatchNorm1d.*set batch_norm to local"):
        synchronise(network, TWO)


def test_a_share_is_divided_in_equal_parts_or_refused() -> None:
    assert ALONE.part_of(8, 4) == 2
    assert TWO.part_of(8, 2) == 2
    with pytest.raises(InvalidData, match=r"does not divide the 6 images .*: use 3 or 6"):
        TWO.part_of(12, 4)
