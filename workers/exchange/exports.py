"""Exports a checkpoint as one file for another program."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from service.contract.checkpoints import Manifest
from service.contract.exchange import ExportFormat
from workers.checkpoints.class_names import CLASS_NAMES
from workers.checkpoints.snapshot import CheckpointContent
from workers.checkpoints.tensors import file_header, in_file_order
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.exchange.momentum import state_dicts
from workers.exchange.networks import filled_network
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
        tag = recipe_named(manifest.recipe).original.final_tag if manifest.phase == "final" else ""
        return f"{tag}checkpoint-{manifest.step:06}.pth.tar"
    return f"{manifest.recipe}-{manifest.variant}-{manifest.step:06}.{_SUFFIXES[form]}"


def export_checkpoint(
    loaded: CheckpointContent,
    target: Path,
    form: ExportFormat,
    *,
    params: RecipeParams,
    module_prefix: bool = False,
) -> None:
    """Write a checkpoint as the file `target`, whole or not at all.

    `params` are those of the training, for the learning rates of its optimizer. `pth.tar` is
    `{"state_dict": …}` with `optimizer_state_dict` and `lr_scheduler_state_dict` where there is
    an optimizer; final weights are bare where the family's script takes them so. With
    `module_prefix` it is for a script that runs on GPUs. `safetensors` has every name, of aliases
    too. `onnx` (images -> logits) and `torch_export` (`.pt2`) are the network in eval mode, for any
    batch of images (N, 3, S, S) of the checkpoint's size. Every format has the class names of the
    logits, if they are known.

    Raises OSError, and IncompatibleCheckpoint for a network that the format cannot hold.
    """
    recipe = recipe_named(loaded.manifest.recipe)
    if recipe.paths is not None and form in ("onnx", "torch_export"):
        raise IncompatibleCheckpoint(
            f"a {recipe.name} has a network for each path, and {form} holds one: export it as "
            "pth.tar or safetensors"
        )
    problem = recipe.spaces.original_problem(loaded.manifest.variant)
    if problem is not None and form == "pth.tar":
        raise IncompatibleCheckpoint(problem)
    with whole_file(target) as partial:
        if form == "pth.tar":
            torch.save(_original(loaded, recipe, params, module_prefix), partial)
        elif form == "safetensors":
            tensors = _prefixed(_published(loaded, recipe, params), module_prefix)
            _write_safetensors(partial, tensors, _metadata(loaded.manifest))
        elif form == "onnx":
            _write_onnx(partial, _network(loaded, recipe, params), loaded.manifest)
        else:
            program = _program(_network(loaded, recipe, params), loaded.manifest.image_size)
            torch.export.save(program, partial, extra_files=_metadata(loaded.manifest))


def _metadata(manifest: Manifest) -> dict[str, str]:
    """The class names as JSON, in the form in which most formats have metadata."""
    names = manifest.class_names
    return {CLASS_NAMES: json.dumps(names, ensure_ascii=False, allow_nan=False)} if names else {}


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
    names = list(loaded.manifest.class_names)
    if recipe.original.bare_final_weights and loaded.manifest.phase == "final":
        # The script loads every key as a weight: so the names are an attribute, which it ignores.
        bare = OrderedDict(weights)
        vars(bare).update({CLASS_NAMES: names} if names else {})
        return bare
    content: dict[str, Any] = {"state_dict": weights} | ({CLASS_NAMES: names} if names else {})
    if loaded.optimizer:
        content |= state_dicts(recipe, params, loaded)
    return content


def _write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    with path.open("xb") as file:
        file.write(file_header(tensors, metadata))
        for _, tensor in in_file_order(tensors):
            file.write(memoryview(tensor.reshape(-1).view(torch.uint8).numpy().data))


def _network(loaded: CheckpointContent, recipe: Recipe, params: RecipeParams) -> nn.Module:
    manifest = loaded.manifest
    return filled_network(recipe, manifest.variant, manifest.num_classes, params, loaded.model)


def _program(network: nn.Module, image_size: int) -> torch.export.ExportedProgram:
    example = torch.zeros(_BATCH_OF_EXAMPLE, 3, image_size, image_size)
    batch = torch.export.Dim("batch", min=1)
    return torch.export.export(network, (example,), dynamic_shapes=({0: batch},))


def _write_onnx(path: Path, network: nn.Module, manifest: Manifest) -> None:
    program = torch.onnx.export(
        _program(network, manifest.image_size),
        (),
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: "batch"},),
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props.update(_metadata(manifest))
    # Without external data: a protobuf file may have 2 GiB, and the largest network has 1.02 GB.
    program.save(path, external_data=False)
