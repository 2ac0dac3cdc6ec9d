"""Exports a checkpoint as one file for another program."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from service.contract.checkpoints import Manifest
from service.contract.exchange import ExportFormat
from workers.checkpoints.snapshot import CheckpointContent, load
from workers.checkpoints.tensors import file_header, in_file_order
from workers.checkpoints.upstream import load_for_training
from workers.exchange.momentum import state_dicts
from workers.exchange.whole import whole_file
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named

_SUFFIXES: dict[ExportFormat, str] = {
    "pth.tar": "pth.tar",
    "safetensors": "safetensors",
    "onnx": "onnx",
    "torch_export": "pt2",
}
_BATCH_OF_EXAMPLE = 2


def export_name(manifest: Manifest, form: ExportFormat) -> str:
    """The file name; a `.pth.tar` has the one that the original `--auto-continue` finds."""
    if form == "pth.tar":
        tag = "bnps-" if manifest.phase == "final" else ""
        return f"{tag}checkpoint-{manifest.step:06}.pth.tar"
    return f"{manifest.recipe}-{manifest.variant}-{manifest.step:06}.{_SUFFIXES[form]}"


def export_checkpoint(
    checkpoint: Path,
    target: Path,
    form: ExportFormat,
    *,
    params: RecipeParams,
    module_prefix: bool = False,
) -> None:
    """Write the checkpoint folder as the file `target`, whole or not at all.

    `params` are those of the training, for the learning rates of its optimizer. `pth.tar` is
    `{"state_dict": …}` with `optimizer_state_dict` and `lr_scheduler_state_dict` where there is
    an optimizer; final weights are bare where the family's script takes them so. With
    `module_prefix` it is for a script that runs on GPUs. `safetensors` has every name, of aliases
    too. `onnx`
    (images -> logits) and `torch_export` (`.pt2`) are the network in eval mode, for any batch of
    images (N, 3, S, S) of the checkpoint's size. Raises DamagedCheckpoint, OSError.
    """
    loaded = load(checkpoint)
    recipe = recipe_named(loaded.manifest.recipe)
    with whole_file(target) as partial:
        if form == "pth.tar":
            torch.save(_original(loaded, recipe, params, module_prefix), partial)
        elif form == "safetensors":
            _write_safetensors(
                partial, _prefixed(_published(loaded, recipe, params), module_prefix)
            )
        elif form == "onnx":
            _write_onnx(partial, _network(loaded, recipe, params), loaded.manifest.image_size)
        else:
            network = _network(loaded, recipe, params)
            torch.export.save(_program(network, loaded.manifest.image_size), partial)


def _published(
    loaded: CheckpointContent, recipe: Recipe, params: RecipeParams
) -> dict[str, Tensor]:
    # In the published order, which torch.save preserves, for programs that read by position.
    manifest = loaded.manifest
    with torch.device("meta"):
        names = recipe.build(manifest.variant, manifest.num_classes, params).state_dict()
    return {name: loaded.model[name] for name in names if name in loaded.model}


def _prefixed(tensors: Mapping[str, Tensor], module_prefix: bool) -> dict[str, Tensor]:
    prefix = "module." if module_prefix else ""
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _original(
    loaded: CheckpointContent, recipe: Recipe, params: RecipeParams, module_prefix: bool
) -> dict[str, Any]:
    weights = _prefixed(_published(loaded, recipe, params), module_prefix)
    if recipe.original.bare_final_weights and loaded.manifest.phase == "final":
        return weights
    content: dict[str, Any] = {"state_dict": weights}
    if loaded.optimizer:
        content |= state_dicts(recipe, params, loaded)
    return content


def _write_safetensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    with path.open("xb") as file:
        file.write(file_header(tensors))
        for _, tensor in in_file_order(tensors):
            file.write(memoryview(tensor.reshape(-1).view(torch.uint8).numpy().data))


def _network(loaded: CheckpointContent, recipe: Recipe, params: RecipeParams) -> nn.Module:
    network = recipe.build(loaded.manifest.variant, loaded.manifest.num_classes, params)
    # Auxiliary heads may be missing, since they are not used in eval mode.
    load_for_training(network, loaded.model, recipe.heads)
    return network.eval()


def _program(network: nn.Module, image_size: int) -> torch.export.ExportedProgram:
    example = torch.zeros(_BATCH_OF_EXAMPLE, 3, image_size, image_size)
    batch = torch.export.Dim("batch", min=1)
    return torch.export.export(network, (example,), dynamic_shapes=({0: batch},))


def _write_onnx(path: Path, network: nn.Module, image_size: int) -> None:
    # Without external data: a protobuf file may have 2 GiB, and the largest network has 1.02 GB.
    torch.onnx.export(
        _program(network, image_size),
        (),
        path,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )
