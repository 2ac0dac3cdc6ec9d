"""Several ranks by torch.distributed, over gloo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_folder,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
    wait,
)
from api_tests.support.killed_run import killed_beside_left_alone
from workers.checkpoints.folder import checkpoints_in, verify

pytestmark = pytest.mark.xdist_group("training")


@pytest.mark.parametrize("ranks", [2, 3])
def test_killed_ranks_end_with_the_weights_of_ranks_left_alone(tmp_path: Path, ranks: int) -> None:
    # Shown every second step and saved every third: what was seen since shown is resumed too.
    spec = train_spec(batch_size=12, display_interval=2)
    both = killed_beside_left_alone(tmp_path, spec, ranks=ranks, train=30)
    assert both.resumed_at >= 3
    assert both.notes == []
    assert both.killed == both.left_alone


def test_a_batch_is_shared_and_each_rank_keeps_a_state_of_its_own(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    run(attempt(tmp_path), ranks=2)
    for folder, manifest in checkpoints_in(tmp_path):
        assert verify(folder) == []
        assert manifest.world_size == 2
        if manifest.phase != "final":
            states = [(folder / f"rank-{rank}.json").read_text() for rank in range(2)]
            assert states[0] != states[1]


def test_validation_counts_each_image_once_however_many_ranks_there_are(tmp_path: Path) -> None:
    draw_photos(tmp_path, val=2)
    run(attempt(tmp_path, spec=train_spec(total_iters=4)))
    found = {}
    for ranks in (1, 2, 3):
        spec = {
            "kind": "eval",
            "recipe": "oneshot",
            "data": PHOTOS,
            "checkpoint": {"job": "job_1"},
        }
        weights = as_checkpoint(tmp_path, final_folder(tmp_path))
        attempt_dir = attempt(tmp_path, job_id=f"job_on_{ranks}", spec=spec, weights=weights)
        found[ranks] = ended(run(attempt_dir, ranks=ranks))["result"]
    for ranks in (2, 3):
        for name in ("samples", "top1_error", "top5_error"):
            assert found[ranks][name] == found[1][name]
        assert found[ranks]["loss"] == pytest.approx(found[1]["loss"], rel=1e-4)
    assert found[1]["samples"] == 2


def test_a_stop_asked_of_one_rank_stops_all_at_the_same_step(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    attempt_dir = attempt(tmp_path, spec=train_spec(total_iters=10_000, save_interval=10_000))
    processes = start(attempt_dir, ranks=2)
    until(lambda: shown_step(attempt_dir) >= 2, processes)
    processes[1].terminate()
    wait(processes)
    assert ended(attempt_dir.events_after(0))["outcome"] == "released"
    ((folder, manifest),) = checkpoints_in(tmp_path)
    assert verify(folder) == []
    states = [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(2)]
    assert [state["step"] for state in states] == [manifest.step] * 2


def test_another_number_of_ranks_goes_on_and_says_that_it_cannot_be_exact(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    run(attempt(tmp_path), ranks=2)
    events = run(attempt(tmp_path, 2, resume=resumable(tmp_path)[1:]))
    (note,) = [event.body["message"] for event in events if event.kind == "note"]
    assert "with 1 rank, not 2" in note
    started = next(event for event in events if event.kind == "started")
    assert started.body["step"] > 0
    assert ended(events)["outcome"] == "succeeded"


def test_a_batch_that_cannot_be_shared_fails_with_what_to_change(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    last = ended(run(attempt(tmp_path, spec=train_spec(batch_size=9)), ranks=2))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "use 8 or 10" in last["message"]


def test_what_is_wrong_at_another_rank_is_said_by_the_first(tmp_path: Path) -> None:
    draw_photos(tmp_path, val=2)
    # In the order of the folder the second image is the second rank's.
    (tmp_path / "val" / "dog" / "01.png").write_text("not an image")
    last = ended(run(attempt(tmp_path), ranks=2))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "dog/01.png" in last["message"]


def test_torchrun_starts_the_ranks_too(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    attempt_dir = attempt(tmp_path, spec=train_spec(total_iters=2, bn_recalibration_iters=1))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*torchrun, "--nproc-per-node", "2", "-m", "workers.runs", str(attempt_dir.spec_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert ended(attempt_dir.events_after(0))["outcome"] == "succeeded"
    ((_, manifest),) = checkpoints_in(final_folder(tmp_path))
    assert manifest.world_size == 2
