"""Attempts in real folders: trained, stopped, evaluated."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.attempts import (
    PARAMS,
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_digest,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
    wait,
)
from workers.checkpoints.folder import checkpoints_in, latest_in, verify

pytestmark = pytest.mark.xdist_group("training")
DIGITS = {"dataset": "digits"}


def test_python_m_trains_the_digits_by_hand_and_logs_how_far_it_is(tmp_path: Path) -> None:
    params = PARAMS | {"total_iters": 2, "bn_recalibration_iters": 1}
    spec = train_spec() | {"data": DIGITS, "params": params}
    attempt_dir = attempt(tmp_path, spec=spec)
    by_hand = subprocess.run(
        [sys.executable, "-m", "workers.runs", str(attempt_dir.spec_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    end = ended(attempt_dir.events_after(0))
    assert end["outcome"] == "succeeded"
    # Everything that a training does takes some of its time.
    assert all(seconds > 0 for seconds in end["time_spent"].values())
    lines = by_hand.stdout.splitlines()
    shown = r"step 1/3 loss [\d.]+ top1 error [\d.]+ % \d+ images/s eta \d+ s"
    assert re.fullmatch(shown, lines[1])
    validated = (
        r"step 2 validated: loss [\d.]+ top1 error [\d.]+ % top5 error [\d.]+ % of 360 images"
    )
    assert any(re.fullmatch(validated, line) for line in lines)
    train, val = "train: 1437 images of 10 classes", "val: 360 images of 10 classes"
    digest = "sha256 [0-9a-f]{16}"
    assert re.fullmatch(
        f"started at step 0/3; {train}, {digest}; {val}, {digest}; computes in .+", lines[0]
    )
    assert lines[-1] == "succeeded"


IMPORTED = """
import sys
from pathlib import Path
from workers.runs.preloaded import run_rank
before = set(sys.modules)
assert run_rank(Path(sys.argv[1])) == 0
own = ("torch", "torchvision", "sympy", "numpy", "workers")
print(sorted(name for name in set(sys.modules) - before if name.split(".")[0] in own))
"""


@pytest.mark.parametrize("data", [DIGITS, PHOTOS], ids=["digits", "photos"])
def test_a_rank_that_is_forked_from_the_warm_process_has_nothing_left_to_import(
    tmp_path: Path, data: dict[str, str]
) -> None:
    draw_photos(tmp_path)
    spec = train_spec(total_iters=1, bn_recalibration_iters=1) | {"data": data}
    attempt_dir = attempt(tmp_path, spec=spec)
    command = [sys.executable, "-c", IMPORTED, str(attempt_dir.spec_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_stopped_run_saves_and_is_continued_to_the_same_weights(tmp_path: Path) -> None:
    stopped, alone = tmp_path / "stopped", tmp_path / "alone"
    for volume in (stopped, alone):
        draw_photos(volume)
    (process,) = start(attempt_dir := attempt(stopped))
    until(lambda: shown_step(attempt_dir) >= 4 and bool(resumable(stopped)), [process])
    process.terminate()
    wait([process])
    assert ended(attempt_dir.events_after(0))["outcome"] == "released"
    # The last checkpoint is damaged: the run goes back to the one before it, and says so.
    newest = stopped / resumable(stopped)[0].path / "model.safetensors"
    content = newest.read_bytes()
    newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    events = run(attempt(stopped, 2, resume=resumable(stopped)))
    assert events[0].kind == "damaged"
    run(attempt(alone))
    assert final_digest(stopped) == final_digest(alone)


def test_a_trained_checkpoint_is_evaluated_to_the_metrics_it_was_saved_with(
    tmp_path: Path,
) -> None:
    trained = ended(run(attempt(tmp_path, spec=train_spec() | {"data": DIGITS})))
    assert trained["outcome"] == "succeeded"
    final = latest_in(tmp_path)
    assert final is not None
    assert final.name == "final-000000012"
    assert verify(final) == []
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": DIGITS,
        "params": {"image_size": 32},
        "checkpoint": {"id": trained["result"]["checkpoint_id"]},
    }
    weights = as_checkpoint(tmp_path, final)
    evaluated = ended(run(attempt(tmp_path, job_id="job_2", spec=spec, weights=weights)))
    assert evaluated["outcome"] == "succeeded"
    for name in ("top1_error", "top5_error", "samples"):
        assert evaluated["result"][name] == trained["result"][name]
    # An eval computes in the memory format that is fastest without gradients.
    assert evaluated["result"]["loss"] == pytest.approx(trained["result"]["loss"], rel=1e-5)
    spent = evaluated["time_spent"]
    assert spent["validation_seconds"] > spent["data_wait_seconds"] > 0
    assert spent["step_seconds"] == 0


def test_a_checkpoint_has_the_metrics_of_its_own_step_or_none(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    run(attempt(tmp_path, spec=train_spec(val_interval=4, save_interval=2)))
    measured = {manifest.step: set(manifest.metrics) for _, manifest in checkpoints_in(tmp_path)}
    names = {"loss", "top1_error", "top5_error"}
    assert measured == {2: set(), 4: names, 6: set(), 8: names, 10: set(), 12: names}


def test_a_checkpoint_names_the_one_before_it(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    run(attempt(tmp_path))
    manifests = [manifest for _, manifest in checkpoints_in(tmp_path)]
    parents = [manifest.parent_checkpoint for manifest in manifests]
    assert parents == [None, *(manifest.checkpoint_id for manifest in manifests[:-1])]
