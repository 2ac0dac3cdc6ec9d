"""Imports and exports as attempts: one rank, no training."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.contract.checkpoints import FileDigest, Manifest, job_files_path
from service.contract.ids import new_id
from service.contract.specs import ExportSpec, ImportSpec
from workers.attempt_dir import Assignment
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.exchange.exports import export_checkpoint, export_name
from workers.exchange.imports import import_file
from workers.exchange.publish import publish_import
from workers.training.attempt_results import Stopped
from workers.training.distributed import Ranks
from workers.training.events import Events

_MIB = 1 << 20
_SPOKEN_STEPS = 20


def run_import(
    assignment: Assignment,
    attempt_folder: Path,
    _: Ranks,
    events: Events,
    stop_asked: Callable[[], bool],
) -> dict[str, Any]:
    """Publish the file that the spec names; raises ImportRefused, Stopped."""
    claim = assignment.claim
    assert isinstance(claim.spec, ImportSpec)
    imported = import_file(claim.spec.request, assignment.import_root)
    what = f"{imported.identity.recipe} {imported.identity.variant}"
    events.tell(
        "started",
        {"total_steps": 1, "resumed_from": None, "step": 0},
        f"{claim.spec.request.file} has the weights of {what}",
    )
    published = publish_import(
        imported,
        attempt_folder,
        checkpoint_id=new_id("ckpt"),
        job_id=claim.job_id,
        attempt=claim.attempt,
        created_at=datetime.now(UTC),
        progress=EventBatch(events, stop_asked).see,
    )
    for note in published.notes:
        events.note(note)
    manifest = published.manifest
    path = str(published.folder.relative_to(assignment.volume))
    body = {"checkpoint": manifest.model_dump(mode="json"), "path": path}
    events.tell("checkpoint", body, f"saved {published.folder.name}")
    return {
        "checkpoint_id": manifest.checkpoint_id,
        "recipe": manifest.recipe,
        "variant": manifest.variant,
        "num_classes": manifest.num_classes,
        "preprocessing": manifest.preprocessing,
    }


def run_export(
    assignment: Assignment, _: Path, __: Ranks, events: Events, ___: Callable[[], bool]
) -> dict[str, Any]:
    """Write the file that the spec asks for; raises DamagedCheckpoint, IncompatibleCheckpoint."""
    claim = assignment.claim
    assert isinstance(claim.spec, ExportSpec)
    source, request = claim.weights, claim.spec.request
    if source is None or source.manifest is None:
        raise IncompatibleCheckpoint("the checkpoint that was named is not there any more")
    events.tell("started", {"total_steps": 1, "resumed_from": None, "step": 0}, "started")
    name = export_name(Manifest.model_validate(source.manifest), request.format)
    folder = assignment.volume / job_files_path(claim.job_id, claim.attempt)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        export_checkpoint(
            assignment.volume / source.path,
            folder / name,
            request.format,
            params=claim.spec.recipe_params,
            module_prefix=request.module_prefix,
        )
    except DamagedCheckpoint as damaged:
        events.tell("damaged", {"checkpoint_id": source.id, "problems": damaged.problems})
        raise
    return {"format": request.format, "files": {name: _digest(folder / name).model_dump()}}


class EventBatch:
    """Progress in MiB, told at every twentieth part, so that a large file shows it moves."""

    def __init__(self, events: Events, stop_asked: Callable[[], bool]) -> None:
        self._events, self._stop_asked, self._part = events, stop_asked, -1

    def see(self, done: int, total: int) -> None:
        """What `publish_import` calls; raises Stopped once asked to stop."""
        if self._stop_asked():
            raise Stopped("stopped in an import, as asked; nothing was published")
        part = done * _SPOKEN_STEPS // max(total, 1)
        if part > self._part:
            self._part = part
            body = {"phase": "import", "step": done // _MIB, "total_steps": max(total // _MIB, 1)}
            self._events.tell("progress", body, f"{done // _MIB} of {total // _MIB} MiB")


def _digest(path: Path) -> FileDigest:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileDigest(bytes=path.stat().st_size, sha256=sha256)
