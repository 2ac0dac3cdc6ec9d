"""Files of any architecture: found by their shapes, exported, and back."""

from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from api_tests.support.originals import imported, params_of, saved
from service.contract.architectures import Architecture
from service.contract.exchange import ExportFormat
from workers.checkpoints.folder import read_manifest
from workers.checkpoints.snapshot import load
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.exchange.errors import ImportRefused
from workers.exchange.exports import export_checkpoint, export_name
from workers.exchange.identify import identify
from workers.recipes import build

BLOCKS, WIDTHS = "01230123012301230123", "01234567012345670123"
VARIANT = f"b{BLOCKS}-c{WIDTHS}"


def shapes_of(variant: str, classes: int = 7, recipe: str = "oneshot") -> dict[str, Tensor]:
    with torch.device("meta"):
        tensors: dict[str, Tensor] = build(recipe, variant, classes).state_dict()
    return tensors


def network_of(variant: str, recipe: str = "oneshot") -> nn.Module:
    torch.manual_seed(0)
    return build(recipe, variant, 5, dropout=0.0).eval()


def exported(checkpoint: Path, form: ExportFormat) -> Path:
    manifest = read_manifest(checkpoint)
    assert manifest is not None
    target = checkpoint.parent / export_name(manifest, form)
    export_checkpoint(load(checkpoint), target, form, params=params_of(manifest.recipe))
    return target


@pytest.mark.parametrize("variant", [VARIANT, f"b{'0' * 20}", f"b{'3' * 20}", "searched"])
def test_an_architecture_is_known_by_its_shapes(variant: str) -> None:
    assert identify(shapes_of(variant)) == ("oneshot", variant, 7)


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize("width", range(8))
def test_each_block_and_each_width_is_told_from_the_others(block: int, width: int) -> None:
    variant = Architecture(str(block) * 20, str(width) * 20).text
    assert identify(shapes_of(variant)).variant == variant


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [
        ("detnas", f"b{BLOCKS}"),
        ("detnas", f"b{'3' * 20}"),
        ("detnas", f"b{BLOCKS * 2}"),
        ("shufflenet_v2_plus", f"small-b{BLOCKS}"),
        ("shufflenet_v2_plus", f"large-b{'3' * 20}"),
    ],
)
def test_an_architecture_of_another_family_is_known_by_its_shapes(
    recipe: str, variant: str
) -> None:
    tensors = shapes_of(variant, recipe=recipe)
    assert identify(tensors) == (recipe, variant, 7)
    # The order of the tensors in a file means nothing.
    assert identify(dict(sorted(tensors.items()))) == (recipe, variant, 7)


def test_weights_of_a_path_are_taken_as_one_if_they_are_called_so() -> None:
    # Its names and shapes are those of the published network of the same blocks.
    path = f"300M.path-b{BLOCKS}"
    tensors = shapes_of(path, recipe="detnas")
    assert identify(tensors).variant == f"b{BLOCKS}"
    assert identify(tensors, "detnas", path).variant == path


def test_another_architecture_than_the_one_that_is_asked_for_is_named() -> None:
    tensors, other = shapes_of(VARIANT), f"b{BLOCKS}"
    assert identify(tensors, "oneshot", VARIANT).variant == VARIANT
    with pytest.raises(ImportRefused, match=f"of oneshot {VARIANT}, not of oneshot {other}"):
        identify(tensors, "oneshot", other)


@pytest.mark.parametrize("asked", [None, VARIANT])
def test_what_is_nearly_an_architecture_is_told_what_differs(asked: str | None) -> None:
    tensors = shapes_of(VARIANT)
    del tensors["features.7.branch_main.6.weight"]
    expected = rf"nearest is oneshot {VARIANT}: 1 missing \(features\.7\.branch_main\.6\.weight\)"
    with pytest.raises(ImportRefused, match=expected):
        identify(tensors, "oneshot" if asked else None, asked)


def test_a_unit_that_no_width_has_is_compared_with_the_architecture_that_is_asked_for() -> None:
    tensors = shapes_of(VARIANT)
    tensors["features.0.branch_main.0.weight"] = torch.empty(7, 16, 1, 1, device="meta")
    with pytest.raises(ImportRefused, match=rf"nearest is oneshot {VARIANT}: 1 misshapen"):
        identify(tensors, "oneshot", VARIANT)


@pytest.mark.parametrize(
    ("form", "recipe", "variant"),
    [
        ("pth.tar", "oneshot", VARIANT),
        ("safetensors", "oneshot", VARIANT),
        ("pth.tar", "detnas", f"b{BLOCKS}"),
        ("pth.tar", "shufflenet_v2_plus", f"small-b{BLOCKS}"),
        ("safetensors", "shufflenet_v2_plus", f"small-b{'3' * 20}"),
    ],
)
def test_an_export_comes_back_as_the_same_architecture(
    form: ExportFormat, recipe: str, variant: str, tmp_path: Path
) -> None:
    tensors = network_of(variant, recipe).state_dict()
    checkpoint, manifest = saved(tmp_path, recipe, tensors, variant=variant)
    back = imported(tmp_path, exported(checkpoint, form).name).manifest
    assert (back.recipe, back.variant) == (recipe, variant)
    assert back.files["model.safetensors"] == manifest.files["model.safetensors"]


def test_the_original_script_loads_the_final_weights_of_an_architecture(tmp_path: Path) -> None:
    # Its --eval-resume takes them bare, for a network of the lists that its train.py has.
    tensors = network_of(VARIANT).state_dict()
    checkpoint, _ = saved(tmp_path, "oneshot", tensors, variant=VARIANT)
    other = network_of(VARIANT)
    other.load_state_dict(torch.load(exported(checkpoint, "pth.tar")), strict=True)
    assert all(tensor.equal(tensors[name]) for name, tensor in other.state_dict().items())


def test_what_the_original_program_cannot_compute_is_no_file_for_it(tmp_path: Path) -> None:
    variant = f"small-b3{BLOCKS[1:]}"
    tensors = network_of(variant, "shufflenet_v2_plus").state_dict()
    checkpoint, _ = saved(tmp_path, "shufflenet_v2_plus", tensors, variant=variant)
    with pytest.raises(IncompatibleCheckpoint, match="no unit of choice 3 can begin a stage, and"):
        exported(checkpoint, "pth.tar")
    assert exported(checkpoint, "safetensors").exists()


def test_onnx_of_an_architecture_gives_the_logits_of_torch(tmp_path: Path) -> None:
    network = network_of(VARIANT)
    checkpoint, _ = saved(tmp_path, "oneshot", network.state_dict(), variant=VARIANT)
    session = onnxruntime.InferenceSession(exported(checkpoint, "onnx"))
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    (logits,) = session.run(["logits"], {"images": images.numpy()})
    with torch.no_grad():
        expected = network(images).numpy()
    assert abs(logits - expected).max() <= 1e-4 * abs(expected).max()
