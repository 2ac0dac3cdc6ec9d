"""The published file of a supernet: imported, exported, and the same tensors again."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from api_tests.facts.published import FAMILIES, SEARCH, fill
from api_tests.support.originals import OriginalRun, imported, prefixed, saved
from workers.checkpoints.optimizer_state import OptimizerState
from workers.checkpoints.snapshot import load
from workers.exchange.exports import export_checkpoint, export_name
from workers.networks.choices import take
from workers.recipes import build
from workers.recipes.supernet import SupernetParams
from workers.recipes.table import recipe_named

FACTS = SEARCH["supernet"]["state_dict"], FAMILIES["detnas_supernet"]["300M"]["state_dict"]


def published(recipe: str, variant: str, facts: list[list[Any]]) -> dict[str, Tensor]:
    """What the original saves: float32, and each norm counts the batches that it has seen."""
    with torch.device("meta"):
        network = build(recipe, variant)
    network = network.to_empty(device="cpu")
    fill(network)
    tensors = network.state_dict()
    assert [[name, list(tensor.shape)] for name, tensor in tensors.items()] == facts
    for number, name in enumerate(tensors):
        if name.endswith("num_batches_tracked"):
            tensors[name] += number
    return prefixed(tensors)


@pytest.mark.parametrize(
    ("recipe", "variant", "facts", "steps"),
    [
        ("supernet", "oneshot", FACTS[0], 150_000),
        ("detnas_supernet_300M", "300M", FACTS[1], 300_000),
    ],
    ids=["oneshot", "detnas"],
)
def test_the_published_file_is_a_supernet_and_is_exported_as_the_same_file(
    tmp_path: Path, recipe: str, variant: str, facts: list[list[Any]], steps: int
) -> None:
    tensors = published(recipe, variant, facts)
    # The name that the original's `save_checkpoint` gives after its last iteration.
    file = f"checkpoint-{steps}.pth.tar"
    torch.save({"state_dict": tensors}, tmp_path / file)
    found = imported(tmp_path, file)
    manifest = found.manifest
    assert (manifest.recipe, manifest.variant) == (recipe, variant)
    assert (manifest.num_classes, manifest.step, manifest.phase) == (1000, steps, "final")
    assert [note for note in found.notes if "left out" in note or "missing" in note] == []

    assert export_name(manifest, "pth.tar") == file
    target = tmp_path / "exported.pth.tar"
    params = recipe_named(recipe).params()
    export_checkpoint(load(found.folder), target, "pth.tar", params=params, module_prefix=True)
    content = torch.load(target, weights_only=True)
    assert list(content) == ["state_dict"]
    exported = content["state_dict"]
    assert list(exported) == list(tensors)
    for name, tensor in tensors.items():
        assert exported[name].dtype == tensor.dtype, name
        assert torch.equal(exported[name], tensor), name


def test_a_supernet_that_has_not_used_all_its_weights_yet_goes_there_and_back(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    network = build("supernet", "oneshot", 5, dropout=0.0)
    take(network, "0123" * 5)
    run = OriginalRun(network)
    run.losses(2)
    momentum = OptimizerState(network, run.optimizer).tensors()
    assert 0 < len(momentum) < len(list(network.parameters()))
    tensors = network.state_dict()
    checkpoint, _ = saved(tmp_path, "supernet", tensors, momentum=momentum, variant="oneshot")
    target = tmp_path / "checkpoint-000003.pth.tar"
    params = SupernetParams(total_iters=40, learning_rate=0.01)
    export_checkpoint(load(checkpoint), target, "pth.tar", params=params)
    run.optimizer.load_state_dict(torch.load(target, weights_only=True)["optimizer_state_dict"])
    found = imported(tmp_path, target.name)
    assert (found.manifest.recipe, found.manifest.phase) == ("supernet", "train")
    loaded = load(found.folder)
    assert loaded.optimizer.keys() == momentum.keys()
    assert all(torch.equal(loaded.optimizer[name], momentum[name]) for name in momentum)
    assert all(torch.equal(loaded.model[name], tensors[name]) for name in tensors)
