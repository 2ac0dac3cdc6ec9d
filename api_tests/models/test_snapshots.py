"""A network's tensors through a checkpoint folder, those with two names included."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch import nn

from service.contract.checkpoints import Manifest, folder_name
from workers.checkpoints.snapshot import CheckpointWriter, load
from workers.checkpoints.upstream import load_strict
from workers.recipes import build

_SMALL = (
    ("oneshot", "searched"),
    ("shufflenet_v1", "0.5x-g3"),
    ("shufflenet_v2", "0.5x"),
    ("shufflenet_v2_plus", "small"),
    ("detnas", "COCO_FPN_300M"),
)


def _manifest(recipe: str, variant: str) -> Manifest:
    return Manifest(
        checkpoint_id="ckpt_1",
        job_id="job_1",
        attempt=1,
        step=3,
        phase="train",
        recipe=recipe,
        variant=variant,
        num_classes=10,
        class_names=(),
        image_size=64,
        preprocessing="bgr255",
        spec_sha256="",
        world_size=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        files={},
    )


def _through_a_folder(network: nn.Module, folder: Path, recipe: str, variant: str) -> Manifest:
    """Save, zero the network's tensors, and load it from the folder."""
    manifest = _manifest(recipe, variant)
    writer = CheckpointWriter(folder, on_published=lambda *_: None, on_failed=lambda _: None)
    assert writer.save(manifest, network.state_dict(), {}, []) is None
    assert writer.close() is None
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.zero_()
    loaded = load(folder / folder_name(manifest.phase, manifest.step))
    load_strict(network, loaded.model)
    return loaded.manifest


@pytest.mark.parametrize(("recipe", "variant"), _SMALL)
def test_a_network_comes_back_from_a_checkpoint_bit_for_bit(
    recipe: str, variant: str, tmp_path: Path
) -> None:
    network = build(recipe, variant, num_classes=10)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    _through_a_folder(network, tmp_path, recipe, variant)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(after[name].equal(tensor) for name, tensor in before.items())


def test_a_tensor_with_two_names_is_stored_once_and_comes_back_as_one(tmp_path: Path) -> None:
    # Half precision for half the bytes: what is proven is the names.
    network = build("shufflenet_v2_large", "large", num_classes=10).half()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    manifest = _through_a_folder(network, tmp_path, "shufflenet_v2_large", "large")
    after = network.state_dict()
    twins = {name for name in before if ".se_block." in name}
    assert set(manifest.aliases) == twins
    assert all(after[name].equal(tensor) for name, tensor in before.items())
    assert all(
        after[n].data_ptr() == after[first].data_ptr() for n, first in manifest.aliases.items()
    )
    stored = sum(tensor.nbytes for name, tensor in before.items() if name not in twins)
    assert manifest.files["model.safetensors"].bytes < stored + 1_000_000
