"""Imports of weights that other programs made."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from service.contract.actions import JobAction
from service.contract.checkpoints import Manifest
from service.contract.class_names import InvalidClassNames, require_class_names
from service.contract.exchange import ImportRequest
from service.contract.jobs import Job, JobState, Progress, Reason
from service.contract.specs import ImportSpec
from service.control.kinds.base import CheckedSubmission, Kind
from service.control.kinds.uses import uses_of_latest
from service.control.scheduling.catalogs import recipe_named
from service.domain.errors import Unprocessable
from service.domain.networks import variant_of


class ImportKind(Kind[ImportSpec]):
    """Imports of a file below the import root; the worker detects which network it holds."""

    name = "import"
    network_from_checkpoint = True

    def complete(self, tx: Connection, spec: ImportSpec) -> ImportSpec:
        """See Kind: the variant as checkpoints name it."""
        request = spec.request
        if request.recipe is None or request.variant is None:
            return spec
        variant = variant_of(recipe_named(tx, request.recipe), request.variant)
        named = request.model_copy(update={"variant": variant})
        return spec.model_copy(update={"request": named})

    def check(self, tx: Connection, spec: ImportSpec) -> CheckedSubmission[ImportSpec]:
        """See Kind."""
        request = spec.request
        try:
            require_class_names(request.class_names or ())
        except InvalidClassNames as error:
            raise Unprocessable("class_names", str(error), "/class_names") from error
        if request.recipe is not None:
            recipe_named(tx, request.recipe)
        return CheckedSubmission(spec, request.recipe, request.variant)

    def may_publish(self, _: Connection, __: Job, ___: Manifest) -> bool:
        """See Kind: what network the file has is not known before."""
        return True

    def title(self, spec: ImportSpec) -> str:
        """See Kind."""
        return f"import of {spec.request.file}"

    def tags(self, spec: ImportSpec) -> Sequence[str]:
        """See Kind."""
        return spec.request.tags

    def uses(self, job: Job) -> Sequence[JobAction]:
        """See Kind."""
        return uses_of_latest(job, None)


def import_spec(request: ImportRequest) -> ImportSpec:
    """The import that is asked for."""
    return ImportSpec(request=request, name=f"import {request.file}"[:200])


def job_of_folder(manifest: Manifest, created_at: datetime) -> Job:
    """The job of a checkpoint on the volume that the index does not know: as if imported."""
    return Job(
        id=manifest.job_id,
        kind=ImportKind.name,
        recipe=manifest.recipe,
        variant=manifest.variant,
        name="found on the volume",
        state=JobState.SUCCEEDED,
        reason=Reason.FINISHED,
        message="found on the volume by a reindexing: train on from it with init_from",
        created_at=created_at,
        finished_at=created_at,
        progress=Progress(
            step=manifest.step, total_steps=manifest.step, fraction=1.0, phase=ImportKind.name
        ),
        attempt=manifest.attempt,
        spec=ImportSpec(request=ImportRequest(file=f"jobs/{manifest.job_id}")),
    )
