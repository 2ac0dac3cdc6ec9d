"""Exports of a checkpoint for other programs."""

from typing import Any

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.exchange import ExportRequest
from service.contract.jobs import Job
from service.contract.specs import ExportSpec, TrainSpec
from service.control.kinds.base import CheckedSubmission, Kind
from service.control.kinds.supernet_rules import require_format
from service.control.scheduling.catalogs import form_of
from service.domain.errors import Conflict, NotFound, Unprocessable
from service.store import checkpoints, jobs


class ExportKind(Kind[ExportSpec]):
    """Exports of a checkpoint to one file, which the job's result names."""

    name = "export"

    def check(self, tx: Connection, spec: ExportSpec) -> CheckedSubmission[ExportSpec]:
        """See Kind."""
        source = _locked(tx, spec.request.checkpoint)
        if source.state != "published":
            raise Conflict(
                "checkpoint_unusable", f"checkpoint {source.id} is {source.state}; name another"
            )
        require_format(tx, source.recipe, spec.request.format)
        _require_original(tx, spec.request, source)
        return CheckedSubmission(spec, source.recipe, source.variant, source)

    def title(self, spec: ExportSpec) -> str:
        """See Kind."""
        return f"export of {spec.request.checkpoint}"


def export_spec(tx: Connection, request: ExportRequest) -> ExportSpec:
    """The export that is asked for, with what the checkpoint's own job was trained with.

    Raises NotFound.
    """
    source = _locked(tx, request.checkpoint)
    return ExportSpec(
        request=request,
        recipe=source.recipe,
        params=_params_of(tx, source),
        name=f"export {source.id} as {request.format}",
    )


def exports_of(tx: Connection, request: ExportRequest) -> list[Job]:
    """The jobs of the same export that have or may get a file, newest first."""
    earlier = (row.job for row in jobs.of_source(tx, ExportKind.name, request.checkpoint))
    return [
        job for job in earlier if isinstance(job.spec, ExportSpec) and job.spec.request == request
    ]


def _params_of(tx: Connection, source: Checkpoint) -> dict[str, Any]:
    origin = jobs.get(tx, source.job_id)
    spec = origin.job.spec if origin is not None else None
    return spec.params if isinstance(spec, TrainSpec) else {}


def _require_original(tx: Connection, request: ExportRequest, source: Checkpoint) -> None:
    """Raises Unprocessable where the original program could not run what `pth.tar` would hold."""
    if request.format != "pth.tar":
        return
    form = form_of(tx, source.recipe)
    problem = form.recipe.spaces.original_problem(source.variant) if form is not None else None
    if problem is not None:
        raise Unprocessable("no_such_format", problem, "/format")


def _locked(tx: Connection, checkpoint_id: str) -> Checkpoint:
    source = checkpoints.lock_with_job(tx, checkpoint_id)
    if source is None:
        raise NotFound("no_such_checkpoint", f"there is no checkpoint {checkpoint_id}")
    return source
