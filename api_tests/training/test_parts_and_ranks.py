"""A batch in parts, and on several ranks: what is the same training, and what is not."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    final_folder,
    resumable,
    run,
    train_spec,
)
from api_tests.support.compiled_ranks import train_tiny
from api_tests.support.killed_run import killed_beside_left_alone
from api_tests.support.tiny_network import BATCH
from api_tests.support.tiny_training import CHANNELS_LAST
from service.contract.agent import ReportedEvent
from workers.attempt_dir import AttemptDir
from workers.checkpoints.snapshot import load
from workers.training.execution import ORIGINAL, Execution

pytestmark = pytest.mark.xdist_group("training")

PARAMS: dict[str, Any] = {
    "total_iters": 4,
    "save_interval": 2,
    "val_interval": 100,
    "batch_size": 2 * BATCH,
    "dropout": 0.0,
}
SYNCHRONISED = {"batch_norm": "synchronised"}
BF16 = Execution("bf16", "channels_last", fused=True)


def trained(
    volume: Path, *, ranks: int = 1, execution: Execution = ORIGINAL, **params: Any
) -> dict[str, Tensor]:
    """The final weights and statistics of the tiny network."""
    draw_photos(volume)
    spec = train_spec(**PARAMS | params)
    before = partial(train_tiny, execution, str(volume / "compiled"))
    assert ended(run(attempt(volume, spec=spec), ranks=ranks, before=before))["outcome"] == (
        "succeeded"
    )
    return load(final_folder(volume)).model


def distance(one: dict[str, Tensor], other: dict[str, Tensor], *, weights: bool = False) -> float:
    """The largest difference of any number, as a share of its tensor's largest.

    With `weights`, the statistics of batch norm are left out.
    """
    assert one.keys() == other.keys()
    names = [name for name in one if not weights or "running" not in name]
    pairs = [(one[name].double(), other[name].double()) for name in names if "num" not in name]
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)


@pytest.mark.parametrize("execution", [ORIGINAL, CHANNELS_LAST], ids=str)
def test_ranks_with_synchronised_batch_norm_train_as_one_rank_on_the_whole_batch(
    tmp_path: Path, execution: Execution
) -> None:
    one = trained(tmp_path / "one", execution=execution, **SYNCHRONISED)
    two = trained(tmp_path / "two", ranks=2, execution=execution, **SYNCHRONISED)
    local = trained(tmp_path / "local", ranks=2, execution=execution)
    assert distance(one, two) < 1e-4
    assert distance(one, local) > 1e-2
    assert one["1.num_batches_tracked"] == two["1.num_batches_tracked"] == 4


def test_synchronised_ranks_compute_in_bf16_too(tmp_path: Path) -> None:
    one = trained(tmp_path / "one", execution=BF16)
    two = trained(tmp_path / "two", ranks=2, execution=BF16, **SYNCHRONISED)
    local = trained(tmp_path / "local", ranks=2, execution=BF16)
    assert distance(one, two) < distance(one, local) / 2


def test_one_rank_is_the_same_bit_for_bit_whatever_its_batch_norm_is(tmp_path: Path) -> None:
    local = trained(tmp_path / "local")
    synchronised = trained(tmp_path / "synchronised", **SYNCHRONISED)
    assert all(torch.equal(local[name], synchronised[name]) for name in local)


def test_parts_of_one_rank_give_the_weights_of_as_many_ranks(tmp_path: Path) -> None:
    parts = trained(tmp_path / "parts", accumulate=2)
    ranks = trained(tmp_path / "ranks", ranks=2)
    whole = trained(tmp_path / "whole")
    assert distance(ranks, parts, weights=True) < 1e-4
    assert distance(ranks, whole, weights=True) > 1e-2
    # Each part is seen by the statistics, and of two ranks the first one's batches alone.
    assert parts["1.num_batches_tracked"] == 2 * ranks["1.num_batches_tracked"] == 8


def test_parts_of_synchronised_ranks_are_those_of_all_ranks_together(tmp_path: Path) -> None:
    # A part has the first images of each rank, so another one than that of a rank alone.
    params = {"batch_size": 8, "accumulate": 4}
    two = trained(tmp_path / "two", ranks=2, **params, **SYNCHRONISED)
    assert two["1.num_batches_tracked"] == 16
    assert all(bool(value.isfinite().all()) for value in two.values())


@pytest.mark.parametrize(
    ("ranks", "params"), [(1, {"accumulate": 2}), (2, {"accumulate": 2} | SYNCHRONISED)], ids=repr
)
def test_a_killed_run_in_parts_ends_with_the_weights_of_the_run_left_alone(
    tmp_path: Path, ranks: int, params: dict[str, Any]
) -> None:
    both = killed_beside_left_alone(tmp_path, train_spec(dropout=0.2, **params), ranks=ranks)
    assert both.resumed_at >= 3
    assert both.notes == []
    assert both.killed == both.left_alone


def notes(events: list[ReportedEvent]) -> list[str]:
    return [event.body["message"] for event in events if event.kind == "note"]


@pytest.mark.parametrize(
    ("then", "now", "changes"),
    [
        ((1, {}), (1, {"accumulate": 2}), ["with accumulate 2, not 1", "over 4 images, not 8"]),
        (
            (2, {}),
            (1, {"accumulate": 2}),
            ["with 1 rank, not 2", "with accumulate 2, not 1", "!images"],
        ),
        ((2, {}), (2, SYNCHRONISED), ["with batch norm over 8 images, not 4"]),
        ((2, SYNCHRONISED), (1, {}), ["with 1 rank, not 2", "!batch norm"]),
        ((1, {}), (1, SYNCHRONISED), []),
    ],
    ids=repr,
)
def test_a_run_that_goes_on_otherwise_says_what_is_not_exact(
    tmp_path: Path, then: Any, now: Any, changes: list[str]
) -> None:
    draw_photos(tmp_path)
    run(tiny(tmp_path, 1, **then[1]), ranks=then[0], before=eager(tmp_path))
    second = tiny(tmp_path, 2, resume=resumable(tmp_path)[-1:], **now[1])
    events = run(second, ranks=now[0], before=eager(tmp_path))
    assert ended(events)["outcome"] == "succeeded"
    said = notes(events)
    assert len(said) == bool(changes)
    for change in changes:
        absent = change.removeprefix("!")
        assert (absent in said[0]) is not change.startswith("!")


def tiny(volume: Path, number: int, *, resume: Any = (), **params: Any) -> AttemptDir:
    spec = train_spec(**PARAMS | {"batch_size": 8} | params)
    return attempt(volume, number, spec=spec, resume=resume)


def eager(volume: Path) -> Any:
    return partial(train_tiny, ORIGINAL, str(volume / "compiled"))


def test_a_share_that_parts_do_not_divide_fails_with_what_to_change(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    last = ended(run(attempt(tmp_path, spec=train_spec(accumulate=3)), ranks=2))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "accumulate 3 does not divide the 4 images of each rank" in last["message"]
    assert "use 2 or 4" in last["message"]


def test_parts_of_one_image_are_refused_where_batch_norm_needs_two(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    spec = train_spec(accumulate=8)
    last = ended(run(attempt(tmp_path, spec=spec)))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "use a smaller accumulate, or a batch_size of 16 or more" in last["message"]


def test_a_scaled_learning_rate_is_what_is_shown_and_its_history_says_how(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    spec = train_spec(learning_rate=0.5, learning_rate_scaling="linear", total_iters=2)
    events = run(attempt(tmp_path, spec=spec))
    (note,) = notes(events)
    assert note == (
        "learning_rate 0.5 is scaled to 0.00390625: by the linear rule for batch_size 8, "
        "where the published one is 1024"
    )
    shown = [e.body["metrics"] for e in events if e.kind == "progress" and e.body["step"] == 1]
    assert shown[0]["learning_rate"] == pytest.approx(0.5 * 8 / 1024 * (1 - 1 / 2))
