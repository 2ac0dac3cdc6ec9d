"""The calls that make tensors and networks of checkpoints; they need torch."""

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from service.client.calls.checkpoints import checkpoint
from service.client.calls.downloads import WEIGHTS, download
from service.client.calls.jobs import job
from service.client.errors import MissingPackage, NotFound, TrainyardError
from service.client.flow import Flow, worked
from service.contract.checkpoints import Checkpoint
from service.contract.stored_specs import stored_parameters

if TYPE_CHECKING:
    from torch import Tensor, nn


def load_state_dict(of: Checkpoint, *, device: str = "cpu") -> Flow[dict[str, "Tensor"]]:
    """The weights by their names in the network, downloaded and verified by their sha256.

    They are read from safetensors, so that no code of the file runs; tensors that share memory in
    the network are there under each name. Raises MissingPackage without torch and safetensors.
    """
    load_file = _module("safetensors.torch", "safetensors torch").load_file
    whole = of if of.manifest is not None else (yield from checkpoint(of.id))
    aliases: dict[str, str] = (whole.manifest or {}).get("aliases", {})
    with TemporaryDirectory(prefix="trainyard-") as folder:
        path = yield from download(of.id, WEIGHTS, Path(folder) / WEIGHTS)
        tensors: dict[str, Tensor] = yield from worked(lambda: load_file(path, device=device))
    for later, first in aliases.items():
        for name, twin in ((later, first), (first, later)):
            if name not in tensors and twin in tensors:
                tensors[name] = tensors[twin]
    return tensors


def network(of: Checkpoint, *, device: str = "cpu") -> Flow["nn.Module"]:
    """The network with the checkpoint's weights, in eval mode; from images (N, 3, S, S) to logits.

    It is built by the code of the workers. Raises MissingPackage where they are not installed.
    """
    networks = _module("workers.exchange.networks", "'trainyard-service[workers]'")
    whole = of if of.manifest is not None else (yield from checkpoint(of.id))
    classes = (whole.manifest or {}).get("num_classes")
    if classes is None:
        raise TrainyardError(f"{of.id} has no manifest that says how many classes it has")
    params = yield from _parameters(of)
    tensors = yield from load_state_dict(whole, device=device)
    names = {"recipe": of.recipe, "variant": of.variant, "num_classes": classes}
    return (yield from worked(lambda: _built(networks, names, params, tensors, device)))


def _built(
    networks: ModuleType,
    names: dict[str, Any],
    params: dict[str, Any],
    tensors: dict[str, "Tensor"],
    device: str,
) -> "nn.Module":
    try:
        built: nn.Module = networks.trained_network(**names, params=params, tensors=tensors)
    except ValueError as error:
        raise TrainyardError(
            f"the workers' code that is installed here makes no network of it: {error}"
        ) from error
    return built.to(device)


def _parameters(of: Checkpoint) -> Flow[dict[str, Any]]:
    """The parameters of the job that made it; none for imported weights, or a deleted job.

    None of a search, either: those that it knows are of the supernet's recipe.
    """
    try:
        made_by = yield from job(of.job_id)
    except NotFound:
        return {}
    return stored_parameters(made_by.spec) if made_by.recipe == of.recipe else {}


def _module(name: str, packages: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPackage(f"this needs more packages: pip install {packages}") from error
