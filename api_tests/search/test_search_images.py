"""The images by which candidates are measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from api_tests.support.attempts import ended, run
from api_tests.support.digit_searches import TrainedSupernet, trained_supernet
from workers.data.images import SplitRequest
from workers.data.loader import Batch
from workers.data.sources.digits import Digits
from workers.data.transforms import preprocess_of
from workers.search.batches import evenly
from workers.search.kept_batches import KeptBatches

pytestmark = pytest.mark.xdist_group("search")


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
