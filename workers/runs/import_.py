"""The import of a file as an attempt: one rank, no training."""

from typing import Any

from service.contract.specs import ImportSpec
from workers.exchange.imports import import_file
from workers.exchange.publish import publish_import
from workers.training.attempt_results import Stopped
from workers.training.run_context import RunContext

_MIB = 1 << 20
_REPORTS = 20


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
    published = publish_import(
        imported,
        context.attempt_folder,
        checkpoint_id=context.new_id(),
        job_id=claim.job_id,
        attempt=claim.attempt,
        created_at=context.now(),
        progress=_ProgressReports(context).report,
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


class _ProgressReports:
    """An event in MiB at every twentieth part, so that a large file shows progress."""

    def __init__(self, context: RunContext) -> None:
        self._events, self._stop_asked = context.events, context.stop_asked
        self._part = -1

    def report(self, done: int, total: int) -> None:
        """What `publish_import` calls; raises Stopped once asked to stop."""
        if self._stop_asked():
            raise Stopped("stopped in an import, as asked; nothing was published")
        part = done * _REPORTS // max(total, 1)
        if part > self._part:
            self._part = part
            body = {"phase": "import", "step": done // _MIB, "total_steps": max(total // _MIB, 1)}
            self._events.report("progress", body, f"{done // _MIB} of {total // _MIB} MiB")
