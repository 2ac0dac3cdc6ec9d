"""A training on each device: batches, loaders, a kill, its weights, an eval, too little memory."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_folder,
    kill,
    losses,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
)
from api_tests.support.devices import DEVICES, hide_gpus
from chaos.kills import series
from workers.attempt_dir import AttemptDir

pytestmark = pytest.mark.xdist_group("training")
SPEC = train_spec(total_iters=12, save_interval=4, val_interval=6, preprocessing="bgr_normalized")
LITTLE_SHARE = 0.002


def at(device: str) -> Callable[[], None] | None:
    return hide_gpus if device == "cpu" else None


def leave_little_device_memory() -> None:
    """This process may have two thousandths of its device's memory."""
    torch.cuda.set_per_process_memory_fraction(LITTLE_SHARE)


@pytest.mark.parametrize("device", DEVICES)
def test_a_killed_training_ends_as_the_one_left_alone_and_its_weights_are_evaluated(
    tmp_path: Path, device: str
) -> None:
    volume, alone = tmp_path / "killed", tmp_path / "alone"
    draw_photos(volume)
    shutil.copytree(volume, alone)
    whole = attempt(alone, spec=SPEC)
    last = ended(run(whole, before=at(device)))
    assert last["outcome"] == "succeeded", last
    first = attempt(volume, spec=SPEC)
    processes = start(first, before=at(device))
    until(lambda: shown_step(first) >= 6 and bool(resumable(volume)), processes)
    kill(processes)
    params = SPEC["params"] | {"data_workers": 2}
    second = attempt(volume, 2, spec=SPEC | {"params": params}, resume=resumable(volume))
    last = ended(run(second, before=at(device)))
    assert last["outcome"] == "succeeded", last
    assert series(volume, first, second) == series(alone, whole)
    _is_evaluated(volume, device)


def _is_evaluated(volume: Path, device: str) -> None:
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": PHOTOS,
        "params": {"image_size": 32},
        "checkpoint": {"id": "ckpt_1"},
    }
    weights = as_checkpoint(volume, final_folder(volume))
    events = run(attempt(volume, job_id="job_2", spec=spec, weights=weights), before=at(device))
    last = ended(events)
    assert last["outcome"] == "succeeded", last
    assert last["result"]["samples"] == 6


@pytest.mark.parametrize("device", DEVICES)
def test_loader_processes_and_where_images_are_augmented_change_no_loss(
    tmp_path: Path, device: str
) -> None:
    found = []
    for number, params in enumerate(
        [
            {"data_workers": 0, "augment_on": "device"},
            {"data_workers": 2, "augment_on": "device"},
            {"data_workers": 2, "augment_on": "loader"},
        ]
    ):
        volume = tmp_path / str(number)
        draw_photos(volume)
        spec = SPEC | {"params": SPEC["params"] | params | {"total_iters": 4}}
        events: AttemptDir = attempt(volume, spec=spec)
        last = ended(run(events, before=at(device)))
        assert last["outcome"] == "succeeded", last
        found.append(losses(events))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) >= 4


@pytest.mark.gpu
def test_a_training_that_fills_the_device_fails_with_what_to_change(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    spec = train_spec(batch_size=20, image_size=1024)
    last = ended(run(attempt(tmp_path, spec=spec), before=leave_little_device_memory))
    assert (last["outcome"], last["reason"]) == ("failed", "out_of_memory")
    assert "CUDA out of memory" in last["message"]
    assert "try accumulate 2 (the same batch in parts), batch_size" in last["message"]
