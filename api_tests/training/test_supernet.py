"""A supernet trains as any network: its paths are the same on each rank and after a kill."""

from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    final_folder,
    resumable,
    run,
    train_spec,
)
from api_tests.support.killed_run import killed_beside_left_alone
from service.contract.agent import ReportedEvent
from workers.data.fingerprint import read_run_data
from workers.training.learning_check import is_at_chance

pytestmark = pytest.mark.xdist_group("training")

FEW = {"validated_paths": 2, "validation_recalibration_batches": 1}
SHORT = {"total_iters": 6, "val_interval": 100, "validated_paths": 1, "learning_rate": 0.005}
"""Of a supernet whose checkpoints have 230 MB."""


@pytest.mark.parametrize(
    ("recipe", "ranks", "more"),
    [
        *(("supernet", ranks, {}) for ranks in (1, 2)),
        *(("supernet", ranks, {"ramp": 0.8, "holdout_every": 4}) for ranks in (1, 2)),
        ("detnas_supernet_300M", 1, {}),
        ("detnas_supernet_1.3G", 1, SHORT),
    ],
)
def test_a_killed_supernet_ends_as_one_that_was_left_alone(
    tmp_path: Path, recipe: str, ranks: int, more: dict[str, Any]
) -> None:
    spec = train_spec(recipe, **{"batch_size": 12, "display_interval": 2} | FEW | more)
    both = killed_beside_left_alone(tmp_path, spec, ranks=ranks, train=30)
    assert both.resumed_at >= 3
    assert both.notes == []
    assert both.killed == both.left_alone


def test_what_is_held_out_is_neither_trained_on_nor_in_the_fingerprint(tmp_path: Path) -> None:
    draw_photos(tmp_path, train=30)
    events = _trained(tmp_path, 1, holdout_every=4)
    started = events[0].body
    train, val = started["data"]
    assert train.startswith("train: 23 images of 2 classes, sha256 ")
    assert train.endswith("; 7 held out for a search")
    assert "held out" not in val
    assert started["splits"] == [
        {"name": "train", "images": 30, "classes": 2},
        {"name": "val", "images": 6, "classes": 2},
    ]
    assert started["steps_per_epoch"] == 1
    data = read_run_data(final_folder(tmp_path))
    assert data is not None
    assert (data.splits["train"].images, data.splits["val"].images) == (23, 6)

    # The images of cat come first: number 6 is that of index 3.
    (tmp_path / "train" / "cat" / "06.png").rename(tmp_path / "train" / "cat" / "06a.png")
    assert _notes(_trained(tmp_path, 2, holdout_every=4, resumes=True)) == []
    (note,) = _notes(_trained(tmp_path, 3, holdout_every=5, resumes=True))
    assert "on other training data (24 images, not 23" in note


def test_a_batch_that_is_larger_than_what_is_not_held_out_fails(tmp_path: Path) -> None:
    draw_photos(tmp_path, train=30)
    end = ended(_trained(tmp_path, 1, holdout_every=4, batch_size=24))
    assert end["outcome"] == "failed"
    assert "batch_size 24 is larger than the training set of 23 images" in end["message"]


@pytest.mark.parametrize(("ramp", "step"), [(0.0, 4), (1.0, 6)])
def test_a_supernet_that_guesses_after_half_of_its_run_says_so_once(
    tmp_path: Path, ramp: float, step: int
) -> None:
    # Classes of noise: nothing can be learnt of them.
    draw_photos(tmp_path, val=60)
    (note,) = _notes(_trained(tmp_path, 1, total_iters=6, val_interval=1, ramp=ramp))
    assert note.startswith(f"the supernet has learnt nothing by step {step}: the mean error of its")
    assert "guesses have 0.500; what usually helps: a smaller learning_rate than 0.05" in note


@pytest.mark.parametrize(
    ("error", "classes", "images", "expected"),
    [
        (0.88, 10, 360, True),
        (0.86, 10, 360, False),
        (0.95, 10, 360, True),
        (0.9988, 1000, 50_000, True),
        (0.997, 1000, 50_000, False),
        (0.5, 2, 6, False),
        (0.0, 1, 100, False),
    ],
)
def test_an_error_is_of_guesses_within_the_noise_of_so_many_images(
    error: float, classes: int, images: int, expected: bool
) -> None:
    assert is_at_chance(error, classes, images) is expected


def _trained(
    volume: Path, number: int, *, resumes: bool = False, **params: Any
) -> list[ReportedEvent]:
    spec = train_spec("supernet", **({"batch_size": 12} | FEW | params))
    resume = resumable(volume)[-1:] if resumes else ()
    return run(attempt(volume, number, spec=spec, resume=resume))


def _notes(events: list[ReportedEvent]) -> list[str]:
    return [event.body["message"] for event in events if event.kind == "note"]


def test_the_eval_of_a_supernet_says_that_it_is_many_networks(tmp_path: Path) -> None:
    spec = {
        "kind": "eval",
        "recipe": "supernet",
        "data": {"dataset": "digits"},
        "params": {"image_size": 32},
        "checkpoint": {"id": "ckpt_1"},
    }
    end = ended(run(attempt(tmp_path, spec=spec)))
    assert end["outcome"] == "failed"
    assert "supernet is many networks in one" in end["message"]
