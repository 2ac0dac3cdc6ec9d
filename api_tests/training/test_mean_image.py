"""A training on images minus a mean image, and an eval that finds the mean in the checkpoint."""

import json
from pathlib import Path

import numpy as np

from api_tests.support.attempts import (
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_folder,
    resumable,
    run,
    train_spec,
)
from service.contract.checkpoints import MANIFEST

PARAMS = {
    "total_iters": 2,
    "save_interval": 1,
    "bn_recalibration_iters": 0,
    "preprocessing": "bgr255_minus_mean",
    "mean_image": "mean.npy",
}


def _trained(volume: Path, grey: float) -> dict[str, object]:
    draw_photos(volume)
    np.save(volume / "mean.npy", np.full((3, 32, 32), grey, np.float32))
    return ended(run(attempt(volume, spec=train_spec(**PARAMS))))


def test_an_eval_subtracts_the_mean_that_its_checkpoint_carries(tmp_path: Path) -> None:
    result = _trained(tmp_path, 120.0)["result"]
    (tmp_path / "mean.npy").unlink()
    weights = as_checkpoint(tmp_path, final_folder(tmp_path))
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": {"val_dir": "val"},
        "checkpoint": {"id": weights.id},
    }
    body = ended(run(attempt(tmp_path, job_id="job_2", spec=spec, weights=weights)))
    assert isinstance(result, dict)
    assert body["result"]["preprocessing"] == "bgr255_minus_mean"
    assert body["result"]["loss"] == result["loss"]


def test_each_checkpoint_of_the_run_has_the_mean_in_its_manifest(tmp_path: Path) -> None:
    _trained(tmp_path, 100.0)
    folders = [tmp_path / checkpoint.path for checkpoint in resumable(tmp_path)]
    for folder in (*folders, final_folder(tmp_path)):
        assert "mean.npy" in json.loads((folder / MANIFEST).read_text())["files"]
        assert np.load(folder / "mean.npy").mean() == 100.0


def test_a_mean_of_another_size_fails_the_job_with_both_shapes(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    np.save(tmp_path / "mean.npy", np.zeros((3, 64, 64), np.float32))
    body = ended(run(attempt(tmp_path, spec=train_spec(**PARAMS))))
    assert body["reason"] == "invalid_data"
    assert "has the shape [3, 64, 64], not [3, 32, 32]" in body["message"]
