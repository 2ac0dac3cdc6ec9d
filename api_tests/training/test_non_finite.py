"""Numbers that are not finite end a run where they are seen, and reach no file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    run,
    train_spec,
)
from api_tests.support.checkpoint_folders import attempt_folder
from service.contract.checkpoints import Checkpoint
from workers.checkpoints.folder import checkpoints_in
from workers.checkpoints.snapshot import CheckpointWriter, load
from workers.checkpoints.upstream import write_weights

pytestmark = pytest.mark.xdist_group("training")

SPOILED = "first_conv.0.weight"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume whose `job_1` has a state of step 3 with a weight that is NaN.

    The same weights are in `imports/spoiled.pth.tar`.
    """
    volume = tmp_path_factory.mktemp("trained")
    draw_photos(volume)
    run(attempt(volume, spec=train_spec(total_iters=3, bn_recalibration_iters=0)))
    spoiled = load(attempt_folder(volume) / "step-000000003")
    spoiled.model[SPOILED][0, 0, 0, 0] = torch.nan
    shutil.rmtree(attempt_folder(volume) / "step-000000003")
    writer = CheckpointWriter(
        attempt_folder(volume), on_published=lambda *_: None, on_failed=lambda _: None
    )
    writer.save(spoiled.manifest, spoiled.model, spoiled.optimizer, spoiled.rank_states)
    assert writer.close() is None
    (volume / "imports").mkdir()
    write_weights(volume / "imports" / "spoiled.pth.tar", spoiled.model)
    return volume


@pytest.fixture
def volume(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "volume")


def _spoiled_state(volume: Path) -> Checkpoint:
    return as_checkpoint(volume, attempt_folder(volume) / "step-000000003")


def _evaluation(volume: Path) -> Any:
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": PHOTOS,
        "params": {"image_size": 32},
        "checkpoint": {"file": "spoiled.pth.tar"},
    }
    return attempt(volume, job_id="job_2", spec=spec)


def _fine_tuning(volume: Path) -> Any:
    spec = train_spec() | {"init_from": {"file": "spoiled.pth.tar"}}
    return attempt(volume, job_id="job_2", spec=spec)


def _continued_state(volume: Path) -> Any:
    source = _spoiled_state(volume)
    spec = train_spec() | {"init_from": {"id": source.id, "state": "full"}}
    return attempt(volume, job_id="job_2", spec=spec, weights=source)


def _resumed_job(volume: Path) -> Any:
    return attempt(volume, 2, resume=(_spoiled_state(volume),))


@pytest.mark.parametrize(
    "use", [_evaluation, _fine_tuning, _continued_state, _resumed_job], ids=lambda use: use.__name__
)
def test_weights_that_are_not_finite_are_named_before_they_are_used(
    volume: Path, use: Callable[[Path], Any]
) -> None:
    attempt_dir = use(volume)
    last = ended(run(attempt_dir))
    assert (last["outcome"], last["reason"]) == ("failed", "non_finite_loss")
    assert f"are not finite in 1 tensor: {SPOILED}; use other weights" in last["message"]
    assert not list(attempt_dir.folder.glob("files/*"))


def spoil_update_3() -> None:
    """The third update overflows, although its loss is a number."""
    _spoil_update(3)


def spoil_update_8() -> None:
    """The last update overflows, although its loss is a number."""
    _spoil_update(8)


def _spoil_update(number: int) -> None:
    updates = [0]
    step = torch.optim.SGD.step

    def overflowing(optimizer: torch.optim.SGD, *given: Any) -> Any:
        step(optimizer, *given)
        updates[0] += 1
        if updates[0] == number:
            with torch.no_grad():
                optimizer.param_groups[0]["params"][0].fill_(torch.inf)

    torch.optim.SGD.step = overflowing  # type: ignore[method-assign]


def spoil_recalibration() -> None:
    """The statistics of batch norm overflow in the second step of the recalibration."""
    forward = nn.BatchNorm2d.forward

    def overflowing(norm: nn.BatchNorm2d, images: torch.Tensor) -> torch.Tensor:
        if norm.training and norm.momentum == 0.5 and norm.running_mean is not None:
            norm.running_mean.fill_(torch.nan)
        return forward(norm, images)

    nn.BatchNorm2d.forward = overflowing  # type: ignore[method-assign]


def spoil_validation() -> None:
    """The network's outputs overflow on the images of the validation alone."""
    forward = nn.Linear.forward

    def overflowing(linear: nn.Linear, images: torch.Tensor) -> torch.Tensor:
        outputs = forward(linear, images)
        return outputs if linear.training else outputs * torch.inf

    nn.Linear.forward = overflowing  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("before", "message", "saved_steps"),
    [
        (spoil_update_3, "the weights and statistics of step 3 are not finite", []),
        (spoil_update_8, "at step 8", [3, 6]),
        (spoil_recalibration, "at step 12", [3, 6, 8, 9]),
        (spoil_validation, "validation", [3]),
    ],
)
def test_a_run_that_is_not_finite_ends_before_it_is_saved_or_succeeds(
    tmp_path: Path, before: Callable[[], None], message: str, saved_steps: list[int]
) -> None:
    draw_photos(tmp_path)
    spec = train_spec(display_interval=4, val_interval=4)
    events = run(attempt(tmp_path, spec=spec), before=before)
    last = ended(events)
    assert (last["outcome"], last["reason"]) == ("failed", "non_finite_loss")
    assert message in last["message"]
    assert "learning_rate" in last["message"]
    found = checkpoints_in(tmp_path)
    assert [manifest.step for _, manifest in found] == saved_steps
    for folder, _ in found:
        assert all(
            tensor.isfinite().all()
            for tensor in load(folder).model.values()
            if tensor.is_floating_point()
        )


def test_an_eval_whose_loss_is_not_finite_fails_and_writes_no_evaluation(volume: Path) -> None:
    weights = load(attempt_folder(volume) / "step-000000003").model
    weights[SPOILED] = torch.zeros_like(weights[SPOILED])
    write_weights(volume / "imports" / "spoiled.pth.tar", weights)
    attempt_dir = _evaluation(volume)
    last = ended(run(attempt_dir, before=spoil_validation))
    assert (last["outcome"], last["reason"]) == ("failed", "non_finite_loss")
    assert "validation images" in last["message"]
    assert not list(attempt_dir.folder.glob("files/*"))
