"""The import of a file as an attempt: one rank, no training."""

from typing import Any

from service.contract.specs import ImportSpec
from workers.exchange.imports import import_file
from workers.exchange.publish import publish_import
from workers.runs.progress_reports import ProgressReports
from workers.training.run_context import RunContext

_MIB = 1 << 20


def run(context: RunContext) -> dict[str, Any]:
    """Publish the file that the spec names; raises ImportRefused, Stopped."""
    claim, events = context.claim, context.events
    assert isinstance(claim.spec, ImportSpec)
    imported = import_file(claim.spec.request, context.assignment.import_root)
    what = f"{imported.identity.recipe} {imported.identity.variant}"
    events.report(
        "started",
        {"total_steps": 1, "resumed_from": None, "step": 0},
        f"{claim.spec.request.file} has the weights of {what}",
    )
    reports = ProgressReports(
        context,
        phase="import",
        unit="MiB",
        size=_MIB,
        stopped="stopped in an import, as asked; nothing was published",
    )
    published = publish_import(
        imported,
        context.attempt_folder,
        checkpoint_id=context.new_id(),
        job_id=claim.job_id,
        attempt=claim.attempt,
        created_at=context.now(),
        progress=reports.report,
    )
    for note in published.notes:
        events.note(note)
    manifest = published.manifest
    path = str(published.folder.relative_to(context.assignment.volume))
    body = {"checkpoint": manifest.model_dump(mode="json"), "path": path}
    events.report("checkpoint", body, f"saved {published.folder.name}")
    return {
        "checkpoint_id": manifest.checkpoint_id,
        "recipe": manifest.recipe,
        "variant": manifest.variant,
        "num_classes": manifest.num_classes,
        "preprocessing": manifest.preprocessing,
        "notes": list(published.notes),
    }
