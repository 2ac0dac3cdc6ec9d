"""Evaluations."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.contract.hints import Hint
from service.contract.specs import CheckpointRef, EvalSpec
from service.control.kinds.base import CheckedSubmission, Kind, resolved
from service.control.kinds.data import classes_of, dataset_of
from service.control.kinds.found_paths import with_found_path
from service.control.kinds.hints import eval_hints
from service.control.kinds.sources import (
    located,
    require_classes,
    require_network,
    source_of,
    with_network,
)
from service.control.kinds.supernet_rules import require_one_network
from service.domain.known_parameters import KnownParameters
from service.store.job_rows import StoredJob

_SOURCE = "/checkpoint"


class EvalKind(Kind[EvalSpec]):
    """Evaluations of a checkpoint's weights on validation data."""

    name = "eval"

    def complete(self, tx: Connection, spec: EvalSpec) -> EvalSpec:
        """See Kind."""
        checkpoint = located(tx, spec.checkpoint, _SOURCE)
        spec = with_found_path(tx, spec.model_copy(update={"checkpoint": checkpoint}))
        return with_network(tx, spec, source_of(tx, checkpoint, _SOURCE), _SOURCE)

    def check(self, tx: Connection, spec: EvalSpec) -> CheckedSubmission[EvalSpec]:
        """See Kind."""
        source = source_of(tx, spec.checkpoint, _SOURCE)
        require_network(spec, source, _SOURCE)
        require_one_network(tx, spec.network[0])
        classes = classes_of(dataset_of(tx, spec.data), KnownParameters.of(spec.params))
        if source is not None:
            require_classes(source, classes, _SOURCE, may_replace=False)
        return CheckedSubmission(spec, *spec.network, source, spec.search)

    def hints(self, tx: Connection, checked: CheckedSubmission[EvalSpec]) -> Sequence[Hint]:
        """See Kind."""
        return eval_hints(tx, checked)

    def title(self, spec: EvalSpec) -> str:
        """See Kind."""
        return f"eval of {spec.recipe}"

    def retry_spec(self, _: Connection, parent: StoredJob, spec: EvalSpec, origin: str) -> EvalSpec:
        """See Kind; another checkpoint may be named."""
        reference = (
            resolved(spec.checkpoint, parent.source_checkpoint)
            if origin in ("latest", "start")
            else CheckpointRef(id=origin)
        )
        return spec.model_copy(update={"checkpoint": reference})
