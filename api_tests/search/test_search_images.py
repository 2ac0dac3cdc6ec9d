"""The images by which candidates are measured."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from api_tests.support.attempts import ended, run
from api_tests.support.digit_searches import TrainedSupernet, trained_supernet
from api_tests.support.tiny_training import ALONE
from service.contract.search_params import SearchParams
from workers.data.images import SplitRequest
from workers.data.loader import Batch
from workers.data.sources.digits import Digits
from workers.data.transforms import preprocess_of
from workers.recipes.params import RecipeParams
from workers.search import batches as batches_of_searches
from workers.search.batches import SearchBatches, evenly
from workers.search.kept_batches import KeptBatches
from workers.training.execution import ORIGINAL

pytestmark = pytest.mark.xdist_group("training")


class Source:
    """Endless batches of four values, and how often each was made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def after(self, start: int) -> Iterator[Batch]:
        number = start
        while True:
            self.made.append(number)
            part = torch.full((4,), number, dtype=torch.uint8)
            yield Batch(part, part, part)
            number += 1


@pytest.mark.parametrize(
    ("limit", "made"),
    [(1000, [0, 1, 2]), (24, [0, 1, 2, 2, 2]), (0, [0, 1, 2] * 3)],
    ids=["all", "two", "none"],
)
def test_batches_are_the_same_each_time_and_kept_as_far_as_there_is_room(
    limit: int, made: list[int]
) -> None:
    source = Source()
    batches = KeptBatches(source.after, 3, limit)
    for _ in range(3):
        assert [int(batch.labels[0]) for batch in batches] == [0, 1, 2]
    assert source.made == made


def test_what_is_kept_is_a_beginning_whatever_the_sizes() -> None:
    sizes = [4, 40, 4]

    def after(start: int) -> Iterator[Batch]:
        for number in range(start, 3):
            part = torch.full((sizes[number],), number, dtype=torch.uint8)
            yield Batch(part, part, part)

    batches = KeptBatches(after, 3, 30)
    for _ in range(3):
        assert [int(batch.labels[0]) for batch in batches] == [0, 1, 2]


def test_a_pass_that_was_broken_off_leaves_the_next_one_whole() -> None:
    source = Source()
    batches = KeptBatches(source.after, 4, 1000)
    first = iter(batches)
    assert [int(next(first).labels[0]) for _ in range(2)] == [0, 1]
    first.close()
    assert [int(batch.labels[0]) for batch in batches] == [0, 1, 2, 3]
    assert source.made == [0, 1, 2, 3]


def test_fewer_images_are_spread_over_all_of_them() -> None:
    digits = Digits(SplitRequest("val", 32, 0, preprocess_of("bgr255"), Path()))
    few = evenly(digits, 7)
    assert [few.name_of(index) for index in range(7)] == [
        digits.name_of(index) for index in (0, 51, 102, 154, 205, 257, 308)
    ]
    assert evenly(digits, 360) is digits


def _batches(monkeypatch: pytest.MonkeyPatch, kept_bytes: int) -> SearchBatches:
    monkeypatch.setattr(batches_of_searches, "_KEPT_BYTES", kept_bytes)
    context: Any = SimpleNamespace(
        ranks=ALONE,
        stop_asked=lambda: False,
        events=SimpleNamespace(pulse=lambda: None),
        clock=lambda: 0.0,
    )
    preprocess = preprocess_of("bgr255")
    train, val = (
        Digits(SplitRequest(split, 32, 3, preprocess, Path())) for split in ("train", "val")
    )
    params = SearchParams(recalibration_batches=3, recalibration_batch_size=12, fitness_images=300)
    training = RecipeParams(image_size=32, seed=3)
    return SearchBatches(
        context, params, training, train=evenly(train, 30), images=val, execution=ORIGINAL
    )


def test_the_images_are_the_same_whatever_is_kept_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # None, the first batch of either, and all; the third batch is of another epoch.
    of_sizes = [_batches(monkeypatch, kept) for kept in (0, 50_000, 800_000, 1 << 30)]
    expected = list(of_sizes[0].recalibration()), list(of_sizes[0].labelled())
    assert [len(inputs) for inputs in expected[0]] == [12] * 3
    assert [len(labels) for _, labels in expected[1]] == [256, 44]
    assert not expected[0][0].equal(expected[0][2])
    for batches in of_sizes:
        for _ in range(2):
            inputs, labelled = list(batches.recalibration()), list(batches.labelled())
            assert all(map(torch.equal, inputs, expected[0]))
            for seen, first in zip(labelled, expected[1], strict=True):
                assert all(map(torch.equal, seen, first))


@pytest.fixture(scope="module")
def holding_out(tmp_path_factory: pytest.TempPathFactory) -> TrainedSupernet:
    """A supernet of which each 25th training image was held out."""
    return trained_supernet(tmp_path_factory.mktemp("holding_out"), holdout_every=25, total_iters=2)


def test_images_that_were_held_out_are_those_of_the_fitness(holding_out: TrainedSupernet) -> None:
    path = "0" * 20
    searched = holding_out.searched(candidates=[path])
    started = next(event.body for event in searched.events if event.kind == "started")
    assert "train: 1380 images" in started["data"][0]
    assert "57 images of train held out" in started["data"][1]
    (candidate,) = searched.table
    wrong = candidate.top1_error * 57
    assert wrong == pytest.approx(round(wrong), abs=1e-9)
    other = holding_out.searched(candidates=[path], holdout_every=0)
    assert other.table[0].loss != candidate.loss
    spec = holding_out.spec(holdout_every=10)
    end = ended(run(holding_out.attempt(spec, holding_out.new_job())))
    assert "leave it out for 25, or use 0, for the validation split" in end["message"]


def test_a_supernet_that_held_out_no_image_is_told_to_use_the_validation_split(
    tmp_path: Path,
) -> None:
    supernet = trained_supernet(tmp_path, holdout_every=5000, total_iters=1)
    end = ended(run(supernet.attempt(supernet.spec(), supernet.new_job())))
    assert end["reason"] == "invalid_data"
    assert "holdout_every 5000 holds out none of 1437 images: use 0" in end["message"]
