"""The export of a checkpoint as an attempt: one rank, no training."""

import hashlib
from pathlib import Path
from typing import Any

from service.contract.checkpoints import FileDigest, Manifest, job_files_path
from service.contract.reading import read
from service.contract.specs import ExportSpec
from workers.checkpoints.folder import DamagedCheckpoint
from workers.checkpoints.snapshot import load_published
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.exchange.exports import export_checkpoint, export_name
from workers.training.run_context import RunContext


def run(context: RunContext) -> dict[str, Any]:
    """Write the file that the spec asks for; raises DamagedCheckpoint, IncompatibleCheckpoint."""
    claim, events, volume = context.claim, context.events, context.assignment.volume
    assert isinstance(claim.spec, ExportSpec)
    source, request = claim.weights, claim.spec.request
    if source is None or source.manifest is None:
        raise IncompatibleCheckpoint("the checkpoint that was named is not there any more")
    events.report("started", {"total_steps": 1, "resumed_from": None, "step": 0}, "started")
    name = export_name(read(Manifest, source.manifest), request.format)
    folder = volume / job_files_path(claim.job_id, claim.attempt)
    folder.mkdir(exist_ok=True)
    try:
        export_checkpoint(
            load_published(context.assignment.shared_volume, source),
            folder / name,
            request.format,
            params=context.params,
            module_prefix=request.module_prefix,
        )
    except DamagedCheckpoint as damaged:
        events.report("damaged", {"checkpoint_id": source.id, "problems": damaged.problems})
        raise
    return {"format": request.format, "files": {name: _digest(folder / name).model_dump()}}


def _digest(path: Path) -> FileDigest:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileDigest(bytes=path.stat().st_size, sha256=sha256)
