"""Ranks that train a supernet together: one mean gradient, one set of weights, one validation."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from api_tests.support.attempts import attempt, draw_photos, ended, run, train_spec
from api_tests.support.watched_ranks import Watched, watch, watched
from workers.checkpoints.folder import checkpoints_in
from workers.checkpoints.snapshot import load
from workers.data.batch_transform import transform_of
from workers.data.images import SplitRequest
from workers.data.loader import val_batches
from workers.data.sources.folders import ImageFolder
from workers.data.transforms import preprocess_of
from workers.networks.choices import tensors_of_path
from workers.recipes import build
from workers.recipes.supernet import SupernetParams
from workers.recipes.supernet.sampler import path_of_step, paths_of_validation

pytestmark = pytest.mark.xdist_group("training")

PARAMS = SupernetParams(
    total_iters=3,
    batch_size=12,
    image_size=32,
    learning_rate=0.05,
    sampling="uniform",
    dropout=0.0,
    validated_paths=2,
    validation_recalibration_batches=2,
)


@dataclass(frozen=True)
class Trained:
    """A supernet after its last step: as it was saved, and as each rank has seen it."""

    volume: Path
    tensors: dict[str, Tensor]
    momentum: dict[str, Tensor]
    ranks: list[Watched]
    validation: dict[str, float]


def trained(volume: Path, *, ranks: int = 1, accumulate: int = 1) -> Trained:
    draw_photos(volume, train=30)
    params = PARAMS.model_dump(mode="json", exclude_unset=True) | {"accumulate": accumulate}
    spec = train_spec("supernet", **params, val_interval=100, save_interval=100)
    events = run(attempt(volume, spec=spec), ranks=ranks, before=partial(watch, volume))
    assert ended(events)["outcome"] == "succeeded"
    (last,) = [folder for folder, manifest in checkpoints_in(volume) if manifest.phase == "train"]
    state = load(last)
    (validation,) = [event.body["metrics"] for event in events if event.kind == "metrics"]
    return Trained(volume, state.model, state.optimizer, watched(volume, ranks), validation)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """By two ranks, each with half of the batch."""
    return trained(tmp_path_factory.mktemp("two"), ranks=2)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """By one rank alone, whose autograd sums the gradients of two halves of the loss."""
    return trained(tmp_path_factory.mktemp("parts"), accumulate=2)


def test_ranks_train_a_path_by_the_mean_of_their_gradients(two: Trained, parts: Trained) -> None:
    shares = torch.cat([rank.inputs[0] for rank in two.ranks])
    assert shares.equal(parts.ranks[0].inputs[0])
    assert two.momentum.keys() == parts.momentum.keys()
    assert 0 < len(two.momentum) < len(two.ranks[0].states[0].weights)
    for name, momentum in parts.momentum.items():
        assert _distance(two.momentum[name], momentum) < 1e-4, name
    for name in two.ranks[0].states[0].weights:
        assert _distance(two.tensors[name], parts.tensors[name]) < 1e-4, name


def _distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


def test_all_ranks_have_equal_weights_and_momentum_after_each_step(two: Trained) -> None:
    first, second = two.ranks
    assert len(first.states) == 1 + PARAMS.total_iters
    assert first.states == second.states
    # The last step has a learning rate of 0, and moves momentum alone.
    changes = zip(first.states, first.states[1:], strict=False)
    assert all(before.momentum != after.momentum for before, after in changes)
    assert first.states[0].weights != first.states[-1].weights


def test_ranks_leave_what_a_path_does_not_use_untouched_bit_for_bit(two: Trained) -> None:
    for rank in two.ranks:
        for step, (before, after) in enumerate(zip(rank.states, rank.states[1:], strict=False), 1):
            unused = _unused(path_of_step(PARAMS, step))
            names = [name for name in before.weights if name.startswith(unused)]
            assert len(names) > len(before.weights) / 2
            for name in names:
                assert after.weights[name] == before.weights[name], (step, name)
                assert after.momentum.get(name) == before.momentum.get(name), (step, name)


def _unused(path: str) -> tuple[str, ...]:
    return tuple(
        f"features.{place}.{block}."
        for place, taken in enumerate(path)
        for block in range(4)
        if block != int(taken)
    )


@pytest.mark.parametrize("run", ["parts", "two"])
def test_a_validation_is_the_mean_of_paths_with_statistics_of_their_own(
    run: str, request: pytest.FixtureRequest
) -> None:
    of: Trained = request.getfixturevalue(run)
    # The first batches of the run, in which each image counts whatever rank has trained on it.
    batches = [torch.cat(shares) for shares in zip(*(r.inputs for r in of.ranks), strict=True)][:2]
    found = [_measured(of, path, batches) for path in paths_of_validation(PARAMS)]
    assert found[0][0] != pytest.approx(found[1][0], rel=1e-2)
    loss, top1_error = (fmean(each) for each in zip(*found, strict=True))
    assert of.validation["val_loss"] == pytest.approx(loss, rel=1e-5)
    assert of.validation["top1_error"] == pytest.approx(top1_error)
    assert of.validation["samples"] == 6


def _measured(of: Trained, path: str, batches: list[Tensor]) -> tuple[float, float]:
    """Loss and top-1 error of a path as a network of its own, with torch's average of batches."""
    network = build("oneshot", f"b{path}", 2, dropout=0.0)
    network.load_state_dict(tensors_of_path(of.tensors, path))
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
            norm.momentum = None
    request = SplitRequest("val", 32, 0, preprocess_of("bgr255"), of.volume)
    images = ImageFolder("val", request)
    (batch,) = val_batches(images, batch_size=6, num_workers=0)
    inputs, labels = transform_of(images)(batch)
    with torch.no_grad():
        for each in batches:
            network.train()(each)
        logits = network.eval()(inputs)
    wrong = (logits.argmax(1) != labels).double().mean().item()
    return cross_entropy(logits, labels).item(), wrong


def test_after_a_validation_the_statistics_of_the_run_are_put_back(two: Trained) -> None:
    for rank in two.ranks:
        ((before, after),) = rank.statistics
        assert len(before) > 1000
        assert after == before
    # Each rank's own: their halves of the batch had others.
    assert two.ranks[0].statistics != two.ranks[1].statistics
