"""Weights of other programs, in and out, over real processes and real HTTP."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from api_tests.support.installation import PARAMS, TRAIN, Installation
from service.client import ApiError, TrainyardClient
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.jobs import Job
from workers.data.images import SplitRequest
from workers.data.sources.digits import Digits
from workers.data.transforms import preprocess_of
from workers.recipes import build


def _export(client: TrainyardClient, checkpoint: str, folder: Path, **form: Any) -> Path:
    request = ExportRequest(checkpoint=checkpoint, **form)
    job = client.wait(client.export(request).id, timeout_seconds=60)
    assert job.state == "succeeded", job.message
    assert job.result is not None
    (name,) = job.result["files"]
    return client.download_of_job(job, name, folder / name)


def _import(installation: Installation, **request: Any) -> Job:
    asked = ImportRequest.model_validate(request)
    return installation.client.wait(
        installation.client.import_weights(asked).id, timeout_seconds=60
    )


def test_a_run_is_exported_imported_again_and_continued_to_the_same_weights(
    installation: Installation,
) -> None:
    installation.start_worker()
    client, imports = installation.client, installation.folder / "imports"
    # The original scripts save no random state: without dropout none is drawn. The run goes on in
    # their arithmetic.
    train = TRAIN | {"params": PARAMS | {"dropout": 0.0, "parity": True}}
    trained = client.wait(client.submit(train).id, timeout_seconds=90)
    steps = {c.step: c for c in client.checkpoints(job=trained.id) if c.phase == "train"}
    exported = _export(client, steps[35].id, imports)
    assert exported.name == "checkpoint-000035.pth.tar"

    imported = _import(installation, file=exported.name, image_size=32, tags=["back"])
    assert imported.state == "succeeded", imported.message
    assert (imported.recipe, imported.variant) == ("oneshot", "searched")
    checkpoint = client.latest_checkpoint(job=imported.id)
    assert (checkpoint.step, checkpoint.phase, checkpoint.tags) == (35, "train", ("back",))
    assert checkpoint.files["model.safetensors"] == steps[35].files["model.safetensors"]
    assert checkpoint.files["optim.safetensors"] == steps[35].files["optim.safetensors"]

    spec = train | {"init_from": {"id": checkpoint.id, "state": "full"}}
    continued = client.wait(client.submit(spec).id, timeout_seconds=90)
    assert continued.state == "succeeded", continued.message
    assert installation.final_digest(continued.id) == installation.final_digest(trained.id)


def _decided_network() -> torch.nn.Module:
    """A network whose logits lie far apart: those of a fresh one are ties, whatever it sees."""
    torch.manual_seed(0)
    network = build("shufflenet_v2", "0.5x", num_classes=10)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    images, _ = _val_digits()
    with torch.no_grad():
        network.train()(images)
        network.classifier[0].weight.mul_(200)
    return network


def _val_digits() -> tuple[torch.Tensor, torch.Tensor]:
    digits = Digits(SplitRequest("val", 32, 0, preprocess_of("bgr255"), Path()))
    images, labels = zip(*(digits.sample(0, index) for index in range(len(digits))), strict=True)
    return torch.stack(images), torch.tensor(labels)


def _judged(network: torch.nn.Module) -> tuple[float, dict[str, tuple[str, float]]]:
    """The loss, and for each wrong digit its prediction and confidence, in this process."""
    images, labels = _val_digits()
    with torch.no_grad():
        logits = network.eval()(images)
    assert logits.std() > 1
    sure, predicted = logits.softmax(dim=1).max(dim=1)
    wrong = (predicted != labels).nonzero().flatten().tolist()
    loss: float = torch.nn.functional.cross_entropy(logits, labels).item()
    # Every fifth of the stored digits validates.
    return loss, {f"digit {5 * n}": (str(predicted[n].item()), sure[n].item()) for n in wrong}


def test_published_weights_are_imported_and_evaluated_to_the_logits_they_had(
    installation: Installation, tmp_path: Path
) -> None:
    installation.start_worker()
    network = _decided_network()
    prefixed = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    imports = installation.folder / "imports"
    torch.save({"state_dict": prefixed}, imports / "published.pth.tar")
    answer = httpx.post(
        f"{installation.url}/checkpoints/import",
        json={"file": "published.pth.tar", "image_size": 32},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    checkpoint = answer.json()
    assert (checkpoint["recipe"], checkpoint["variant"]) == ("shufflenet_v2", "0.5x")
    assert answer.headers["location"] == f"/checkpoints/{checkpoint['id']}"
    spec = {
        "kind": "eval",
        "recipe": "shufflenet_v2",
        "variant": "0.5x",
        "data": {"dataset": "digits"},
        "checkpoint": {"id": checkpoint["id"]},
    }
    evaluated = installation.client.wait(installation.client.submit(spec).id, timeout_seconds=60)
    assert evaluated.state == "succeeded", evaluated.message
    loss, wrong = _judged(network)
    saved = installation.client.download_of_job(
        evaluated, "evaluation.json", tmp_path / "evaluation.json"
    )
    shown = json.loads(saved.read_text())
    assert evaluated.result is not None
    assert evaluated.result["loss"] == pytest.approx(loss, rel=1e-5)
    assert shown["wrong_total"] == len(wrong)
    assert len(shown["wrong"]) == 200
    for each in shown["wrong"]:
        predicted, confidence = wrong[each["image"]]
        assert each["predicted"] == predicted
        assert each["confidence"] == pytest.approx(confidence, abs=1e-4)

    export = f"{installation.url}/checkpoints/{checkpoint['id']}/export"
    unmade = httpx.get(export, params={"format": "safetensors"})
    assert (unmade.status_code, unmade.json()["code"]) == (404, "no_export")
    assert httpx.post(export, json={"format": "safetensors"}).status_code == 202
    first = httpx.get(export, params={"format": "safetensors"}, timeout=60)
    assert first.status_code == 200
    began = time.monotonic()
    again = httpx.get(
        export,
        params={"format": "safetensors"},
        headers={"If-None-Match": first.headers["etag"]},
        timeout=60,
    )
    assert again.status_code == 304, f"made anew in {time.monotonic() - began:.1f} s"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("absent.pth.tar", None, "file_missing"),
        ("words.pth.tar", b"these are words, not weights", "not_weights"),
        ("cut.pth.tar", "half of a file of weights", "file_truncated"),
        ("other.pth.tar", {"layer.weight": torch.zeros(3, 3)}, "unknown_network"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_with_its_own_code(
    installation: Installation, name: str, content: Any, code: str
) -> None:
    installation.start_worker()
    path = installation.folder / "imports" / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        torch.save(build("shufflenet_v2", "0.5x").state_dict(), path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif content is not None:
        torch.save(content, path)
    answer = httpx.post(f"{installation.url}/checkpoints/import", json={"file": name}, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert name in answer.json()["detail"] or code == "unknown_network"
    assert httpx.get(f"{installation.url}/checkpoints").json()["data"] == []


def test_weights_with_nan_of_seven_classes_are_imported_with_a_warning_and_not_evaluated_on_ten(
    installation: Installation,
) -> None:
    installation.start_worker()
    tensors = build("shufflenet_v2", "0.5x", num_classes=7).state_dict()
    tensors["conv_last.0.weight"][0, 0] = float("nan")
    torch.save(tensors, installation.folder / "imports" / "broken.pth")
    imported = _import(installation, file="broken.pth", image_size=32)
    assert imported.state == "succeeded", imported.message
    notes = [e.message for e in installation.client.events(imported.id) if e.kind == "note"]
    assert any("NaN" in message and "conv_last.0.weight" in message for message in notes), notes

    spec = {
        "kind": "eval",
        "recipe": "shufflenet_v2",
        "variant": "0.5x",
        "data": {"dataset": "digits"},
        "checkpoint": {"job": imported.id},
    }
    with pytest.raises(ApiError) as refused:
        installation.client.submit(spec)
    assert (refused.value.status, refused.value.code) == (422, "class_count")
    of_another_family = _import(installation, file="broken.pth", recipe="oneshot")
    assert (of_another_family.state, of_another_family.reason) == (
        "failed",
        "incompatible_checkpoint",
    )
    assert of_another_family.result == {"code": "other_network"}


def test_an_import_outside_the_root_is_refused_before_a_job_is_made(
    installation: Installation,
) -> None:
    answer = httpx.post(f"{installation.url}/checkpoints/import", json={"file": "../secret.pth"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/file"
    assert list(installation.client.jobs()) == []


def test_an_import_without_a_worker_is_answered_with_its_job(installation: Installation) -> None:
    answer = httpx.post(
        f"{installation.url}/checkpoints/import", params={"wait_seconds": 0}, json={"file": "a.pth"}
    )
    assert answer.status_code == 202
    assert answer.json()["wait_reason"] == "no worker is connected"
    assert answer.headers["location"] == f"/jobs/{answer.json()['id']}"
