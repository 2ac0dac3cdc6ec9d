"""Checkpoints as files that the original scripts, and this importer, take back."""

import json
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from api_tests.support.originals import (
    SMALL,
    SMALLEST,
    OriginalRun,
    imported,
    network_of,
    params_of,
    prefixed,
    saved,
    short_weights,
)
from service.contract.exchange import ExportFormat
from workers.checkpoints.folder import read_manifest
from workers.checkpoints.optimizer_state import OptimizerState
from workers.checkpoints.snapshot import load
from workers.exchange import exports
from workers.exchange.exports import export_checkpoint, export_name
from workers.recipes import build

NAMES = ("cat", "dog", "10", "2", "gnu, wild")
ARCHITECTURE = "b01230123012301230123-c01234567012345670123"
MODEL, OPTIMIZER = "model.safetensors", "optim.safetensors"


def _exported(
    checkpoint: Path, recipe: str, form: ExportFormat = "pth.tar", *, module_prefix: bool = False
) -> Path:
    """The file, below the folder in which the attempts of the test are."""
    manifest = read_manifest(checkpoint)
    assert manifest is not None
    target = checkpoint.parent / export_name(manifest, form)
    params = params_of(recipe)
    export_checkpoint(load(checkpoint), target, form, params=params, module_prefix=module_prefix)
    return target


def _trained(folder: Path, recipe: str, variant: str) -> tuple[OriginalRun, Path]:
    """A run after three steps, and its checkpoint."""
    torch.manual_seed(0)
    run = OriginalRun(build(recipe, variant, 5, dropout=0.0))
    run.losses(3)
    momentum = OptimizerState(run.network, run.optimizer).tensors()
    tensors = run.network.state_dict()
    checkpoint, _ = saved(folder, recipe, tensors, momentum=momentum, variant=variant)
    return run, checkpoint


@pytest.mark.parametrize(
    ("recipe", "form", "module_prefix"),
    [
        *((recipe, "pth.tar", True) for recipe in SMALLEST),
        *((recipe, "pth.tar", False) for recipe in SMALL),
        ("shufflenet_v2_large", "safetensors", True),
    ],
)
def test_an_export_comes_back_as_the_same_file_of_weights(
    recipe: str, form: ExportFormat, module_prefix: bool, tmp_path: Path
) -> None:
    checkpoint, manifest = saved(tmp_path, recipe, short_weights(recipe))
    file = _exported(checkpoint, recipe, form, module_prefix=module_prefix)
    back = imported(tmp_path, file.name).manifest
    assert back.files[MODEL] == manifest.files[MODEL]
    assert back.aliases == manifest.aliases
    assert (back.recipe, back.variant) == (recipe, SMALLEST[recipe])
    named = back.step if form == "pth.tar" else 3
    assert named == manifest.step


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [("oneshot", "searched"), ("oneshot", ARCHITECTURE), ("detnas", SMALL["detnas"])],
)
def test_an_exported_training_comes_back_with_its_momentum_and_step(
    recipe: str, variant: str, tmp_path: Path
) -> None:
    _, checkpoint = _trained(tmp_path, recipe, variant)
    before = load(checkpoint).manifest
    file = _exported(checkpoint, recipe, module_prefix=True)
    back = imported(tmp_path, file.name).manifest
    assert (back.phase, back.step, back.variant) == ("train", 3, variant)
    assert back.files[MODEL] == before.files[MODEL]
    assert back.files[OPTIMIZER] == before.files[OPTIMIZER]


class _Parallel(nn.Module):
    """The names of nn.DataParallel, without its devices."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.module = network


@pytest.mark.parametrize(
    ("recipe", "variant", "module_prefix"),
    [
        ("detnas", SMALL["detnas"], True),
        ("shufflenet_v2", SMALL["shufflenet_v2"], False),
        ("oneshot", ARCHITECTURE, True),
    ],
)
def test_the_original_auto_continue_goes_on_from_an_export(
    recipe: str, variant: str, module_prefix: bool, tmp_path: Path
) -> None:
    run, checkpoint = _trained(tmp_path, recipe, variant)
    file = _exported(checkpoint, recipe, module_prefix=module_prefix)
    assert file.name == "checkpoint-000003.pth.tar"
    other = OriginalRun(build(recipe, variant, 5, dropout=0.0))
    _auto_continue(other, file, module_prefix=module_prefix)
    assert other.losses(3) == run.losses(3)


def _auto_continue(run: OriginalRun, file: Path, *, module_prefix: bool) -> None:
    # As Large and DetNAS do; the other scripts leave the last two keys unread.
    model = _Parallel(run.network) if module_prefix else run.network
    checkpoint = torch.load(file, map_location="cpu")
    model.load_state_dict(checkpoint["state_dict"], strict=True)
    run.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    run.schedule.load_state_dict(checkpoint["lr_scheduler_state_dict"])
    run.step = int(file.name.split("-")[1].split(".")[0])


def _eval_resume(recipe: str, model: nn.Module, content: Any) -> None:
    """As the family's script loads it: OneShot the file itself, the others what is inside."""
    if recipe == "oneshot":
        model.load_state_dict(content, strict=True)
        return
    if "state_dict" in content:
        content = dict(content["state_dict"])
    if recipe == "detnas":
        filled = {name: content[name] for name in model.state_dict()}
        model.load_state_dict(filled, strict=True)
        return
    renamed = {n if n.startswith("module.") else f"module.{n}": t for n, t in content.items()}
    _Parallel(model).load_state_dict(renamed, strict=True)


@pytest.mark.parametrize("recipe", SMALL)
def test_the_original_eval_resume_takes_final_weights(recipe: str, tmp_path: Path) -> None:
    tensors = network_of(recipe).state_dict()
    checkpoint, _ = saved(tmp_path, recipe, tensors)
    file = _exported(checkpoint, recipe)
    assert file.name == "bnps-checkpoint-000003.pth.tar"
    network = build(recipe, SMALL[recipe], 5)
    _eval_resume(recipe, network, torch.load(file))
    assert all(t.equal(tensors[name]) for name, t in network.state_dict().items())


def test_the_two_names_of_a_tensor_are_in_the_export_and_are_one(tmp_path: Path) -> None:
    recipe = "shufflenet_v2_large"
    tensors = short_weights(recipe)
    checkpoint, _ = saved(tmp_path, recipe, tensors)
    content = torch.load(_exported(checkpoint, recipe), mmap=True)["state_dict"]
    assert list(content) == list(tensors)
    twins = [name for name in content if ".se_block.0." in name]
    assert twins
    for name in twins:
        first = content[name.replace("se_block.0", "se_fc1")]
        assert content[name].data_ptr() == first.data_ptr()


def test_safetensors_have_every_name_and_value(tmp_path: Path) -> None:
    tensors = network_of("shufflenet_v2").state_dict()
    checkpoint, _ = saved(tmp_path, "shufflenet_v2", tensors)
    file = _exported(checkpoint, "shufflenet_v2", "safetensors", module_prefix=True)
    found = safetensors.torch.load_file(file)
    assert found.keys() == prefixed(tensors).keys()
    assert all(found[name].equal(tensor) for name, tensor in prefixed(tensors).items())


def _trained_network(recipe: str) -> nn.Module:
    # With statistics that a few batches left: fresh ones give logits that are nearly nothing.
    run = OriginalRun(network_of(recipe))
    run.losses(3)
    return run.network.eval()


def _images(count: int) -> Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("recipe", ["shufflenet_v1", "shufflenet_v2_plus"])
def test_onnx_gives_the_logits_of_torch_for_any_batch_and_their_names(
    recipe: str, tmp_path: Path
) -> None:
    network = _trained_network(recipe)
    checkpoint, _ = saved(tmp_path, recipe, network.state_dict(), class_names=NAMES)
    session = onnxruntime.InferenceSession(_exported(checkpoint, recipe, "onnx"))
    assert json.loads(session.get_modelmeta().custom_metadata_map["class_names"]) == list(NAMES)
    assert session.get_inputs()[0].shape == ["batch", 3, 32, 32]
    for count in (1, 3):
        (logits,) = session.run(["logits"], {"images": _images(count).numpy()})
        with torch.no_grad():
            expected = network(_images(count)).numpy()
        assert logits.shape == (count, 5)
        assert abs(logits - expected).max() <= 1e-4 * abs(expected).max()


def test_a_torch_export_gives_the_logits_of_torch_for_any_batch_and_their_names(
    tmp_path: Path,
) -> None:
    network = _trained_network("shufflenet_v2")
    checkpoint, _ = saved(tmp_path, "shufflenet_v2", network.state_dict(), class_names=NAMES)
    file = _exported(checkpoint, "shufflenet_v2", "torch_export")
    assert file.name == "shufflenet_v2-0.5x-000003.pt2"
    metadata = {"class_names": ""}
    program = torch.export.load(file, extra_files=metadata).module()
    assert json.loads(metadata["class_names"]) == list(NAMES)
    for count in (1, 3):
        with torch.no_grad():
            assert torch.allclose(program(_images(count)), network(_images(count)), rtol=1e-4)


def test_an_export_that_fails_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, _ = saved(tmp_path, "shufflenet_v2", network_of("shufflenet_v2").state_dict())
    file = _exported(checkpoint, "shufflenet_v2")
    before, names = file.read_bytes(), sorted(tmp_path.iterdir())

    def full(_: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports.torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        _exported(checkpoint, "shufflenet_v2")
    assert file.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == names
