"""A package adds a recipe: a worker has it, the server does not, and everything works with it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from api_tests.support.installation import Installation, kill, until
from service.client import ApiError
from service.contract.exchange import ExportFormat, ExportRequest, ImportRequest

PACKAGE = Path(__file__).parents[1] / "plugin"
TRAIN: dict[str, Any] = {
    "kind": "train",
    "recipe": "mobilenet_v3",
    "variant": "small",
    "data": {"dataset": "digits"},
    "params": {
        "total_iters": 60,
        "batch_size": 16,
        "image_size": 32,
        "focus": 1.5,
        "val_interval": 30,
        "save_interval": 5,
        "display_interval": 5,
    },
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the package is installed, as pip does it."""
    folder = tmp_path_factory.mktemp("plugin")
    source, site = folder / "source", folder / "site"
    shutil.copytree(PACKAGE, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--target", str(site), str(source)], check=True)
    return site


@pytest.fixture
def start_worker(installation: Installation, site: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a worker that has the package."""

    def start() -> "subprocess.Popen[bytes]":
        with monkeypatch.context() as patch:
            patch.setenv("PYTHONPATH", str(site), prepend=":")
            return installation.start_worker()

    return start


def test_a_packages_recipe_is_trained_killed_resumed_evaluated_and_exported(
    installation: Installation, start_worker: Any, tmp_path: Path
) -> None:
    client = installation.client
    with pytest.raises(ApiError, match="there is no recipe 'mobilenet_v3'"):
        client.submit(TRAIN)
    worker = start_worker()
    recipes = until(lambda: [r for r in client.recipes() if r["name"] == "mobilenet_v3"])
    assert recipes[0]["package"] == "trainyard-mobilenet-v3"
    assert recipes[0]["variants"] == ["small", "large"]
    assert recipes[0]["schema"]["properties"]["focus"]["maximum"] == 5
    with pytest.raises(ApiError, match="did you mean focus"):
        client.submit(TRAIN | {"params": {"fokus": 1}})

    undisturbed = client.wait(client.submit(TRAIN).id, timeout_seconds=120)
    assert undisturbed.state == "succeeded", undisturbed.message
    killed = client.submit(TRAIN)
    installation.running_past(killed.id, 10)
    kill(worker)
    start_worker()
    resumed = client.wait(killed.id, timeout_seconds=120)
    assert (resumed.state, resumed.attempt) == ("succeeded", 2), resumed.message
    assert installation.final_digest(resumed.id) == installation.final_digest(undisturbed.id)

    evaluated = _evaluated(installation, resumed.id)
    assert resumed.result is not None
    for name in ("loss", "top1_error", "top5_error", "samples"):
        assert evaluated[name] == resumed.result[name]
    assert _onnx_logits(installation, resumed.id, tmp_path).shape == (3, 10)
    _check_a_file_that_comes_back(installation, resumed.id)


def _evaluated(installation: Installation, job_id: str) -> dict[str, Any]:
    spec = {
        "kind": "eval",
        "recipe": "mobilenet_v3",
        "variant": "small",
        "data": {"dataset": "digits"},
        "params": {"image_size": 32},
        "checkpoint": {"job": job_id},
    }
    job = installation.client.wait(installation.client.submit(spec).id, timeout_seconds=90)
    assert job.state == "succeeded", job.message
    assert job.result is not None
    return job.result


def _check_a_file_that_comes_back(installation: Installation, job_id: str) -> None:
    saved = next(c for c in installation.client.checkpoints(job=job_id) if c.phase == "train")
    file = _exported(installation, saved.id, "pth.tar", installation.folder / "imports")
    momenta = torch.load(file, weights_only=True)["optimizer_state_dict"]["state"][0]
    assert set(momenta) == {"step", "exp_avg", "exp_avg_sq"}
    request = ImportRequest(file=file.name, image_size=32)
    job = installation.client.wait(
        installation.client.import_weights(request).id, timeout_seconds=90
    )
    assert (job.state, job.recipe, job.variant) == ("succeeded", "mobilenet_v3", "small")
    back = installation.client.latest_checkpoint(job=job.id)
    assert back.files["model.safetensors"] == saved.files["model.safetensors"]


def _exported(
    installation: Installation, checkpoint: str, form: ExportFormat, folder: Path
) -> Path:
    request = ExportRequest(checkpoint=checkpoint, format=form)
    job = installation.client.wait(installation.client.export(request).id, timeout_seconds=120)
    assert job.state == "succeeded", job.message
    assert job.result is not None
    (name,) = job.result["files"]
    return installation.client.download_of_job(job, name, folder / name)


def _onnx_logits(installation: Installation, job_id: str, folder: Path) -> Any:
    final = installation.client.latest_checkpoint(job=job_id)
    session = onnxruntime.InferenceSession(_exported(installation, final.id, "onnx", folder))
    (logits,) = session.run(None, {"images": np.zeros((3, 3, 32, 32), np.float32)})
    return logits
