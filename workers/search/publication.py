"""The best path of a search, published as a checkpoint of its own network."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from service import __version__
from service.contract.checkpoints import Manifest
from workers.checkpoints.folder import checkpoints_in, verify
from workers.checkpoints.snapshot import CheckpointWriter
from workers.data.fingerprint import DATA_FILE, RunData
from workers.data.mean_image import MEAN_FILE, mean_bytes
from workers.training.non_finite import require_finite_tensors
from workers.training.run_context import RunContext


@dataclass(frozen=True)
class FoundNetwork:
    """A network that was found: `tensors` are its state dict, `metrics` what an eval gives."""

    recipe: str
    variant: str
    tensors: dict[str, Tensor]
    metrics: dict[str, float]


def published_before(
    context: RunContext, recipe: str, variant: str, supernet: Manifest
) -> Manifest | None:
    """What an earlier attempt has published of a path, which is reported again; None without one.

    That attempt may have ended before it could tell of it. Every rank calls it, and has the same
    answer.
    """
    found: Manifest | None = None
    with context.ranks.apart():
        if context.ranks.is_first:
            found = _whole_before(context, recipe, variant, supernet)
    (found,) = context.ranks.gathered((found,))[0]
    return found


def _whole_before(
    context: RunContext, recipe: str, variant: str, supernet: Manifest
) -> Manifest | None:
    attempts = context.attempt_folder.parent
    for folder, manifest in reversed(checkpoints_in(attempts)):
        of = manifest.recipe, manifest.variant, manifest.parent_checkpoint
        if of != (recipe, variant, supernet.checkpoint_id):
            continue
        problems = verify(folder)
        if not problems:
            _report(
                context, folder, manifest, f"attempt {manifest.attempt} has saved {folder.name}"
            )
            return manifest
        context.events.note(
            f"what attempt {manifest.attempt} has published of the best path is damaged, and it is "
            f"published anew: {'; '.join(problems)}"
        )
    return None


def publish(
    context: RunContext,
    network: FoundNetwork,
    supernet: Manifest,
    data: RunData,
    mean: Tensor | None,
) -> Manifest:
    """Write the checkpoint folder, whole or not at all, and report it; for the first rank alone.

    Classes, size and preprocessing of its images, and the step are those of the supernet. Raises
    NonFiniteLoss and what the volume raises.
    """
    require_finite_tensors(
        network.tensors, "the statistics of the best path are", "train the supernet anew"
    )
    companions = {DATA_FILE: data.model_dump_json(exclude_none=True).encode()}
    if mean is not None:
        companions[MEAN_FILE] = mean_bytes(mean)
    published: list[Manifest] = []

    def report(folder: Path, manifest: Manifest) -> None:
        published.append(manifest)
        _report(context, folder, manifest, f"saved {folder.name}")

    writer = CheckpointWriter(
        context.attempt_folder,
        on_published=report,
        on_failed=lambda error: context.events.log(f"the best path could not be saved: {error}"),
        companions=companions,
    )
    try:
        writer.save(_manifest(context, network, supernet), network.tensors, {}, [])
    finally:
        error = writer.close()
    if error is not None:
        raise error
    return published[0]


def _report(context: RunContext, folder: Path, manifest: Manifest, line: str) -> None:
    path = str(folder.relative_to(context.assignment.volume))
    body = {"checkpoint": manifest.model_dump(mode="json"), "path": path}
    context.events.report("checkpoint", body, line)


def _manifest(context: RunContext, network: FoundNetwork, supernet: Manifest) -> Manifest:
    claim = context.claim
    return Manifest(
        checkpoint_id=context.new_id(),
        job_id=claim.job_id,
        attempt=claim.attempt,
        step=supernet.step,
        phase="final",
        recipe=network.recipe,
        variant=network.variant,
        num_classes=supernet.num_classes,
        class_names=supernet.class_names,
        image_size=supernet.image_size,
        preprocessing=supernet.preprocessing,
        spec_sha256=hashlib.sha256(claim.spec.model_dump_json().encode()).hexdigest(),
        world_size=context.ranks.world_size,
        created_at=context.now(),
        metrics=network.metrics,
        versions={"trainyard": __version__, "torch": torch.__version__},
        parent_checkpoint=supernet.checkpoint_id,
        files={},
    )
