"""Trainings."""

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Progress
from service.contract.specs import CheckpointRef, Retention, TrainSpec
from service.control.kinds.base import CheckedSubmission, Kind
from service.control.kinds.data import classes_of, dataset_of, require_batch
from service.control.kinds.sources import require_classes, source_of, with_network
from service.domain.errors import Unprocessable
from service.domain.known_parameters import KnownParameters
from service.store import checkpoints
from service.store.jobs import StoredJob

_SOURCE = "/init_from"


class TrainKind(Kind[TrainSpec]):
    """From fresh weights or a checkpoint's, saving training states on its way."""

    name = "train"

    def check(self, tx: Connection, spec: TrainSpec) -> CheckedSubmission[TrainSpec]:
        """See Kind."""
        source = source_of(tx, spec.init_from, _SOURCE)
        spec = with_network(tx, spec, source, _SOURCE)
        params = KnownParameters.of(spec.params)
        dataset = dataset_of(tx, spec.data)
        classes = classes_of(dataset, params)
        require_batch(dataset, params)
        if source is not None and spec.init_from is not None:
            _require_fitting(spec.init_from, source, classes)
        return CheckedSubmission(spec, *spec.network, source)

    def title(self, spec: TrainSpec) -> str:
        """See Kind."""
        return f"train of {spec.recipe}"

    def first_progress(self, spec: TrainSpec) -> Progress:
        """See Kind."""
        total_iters = KnownParameters.of(spec.params).total_iters
        return Progress(total_steps=total_iters or 1, phase=self.name)

    def retention(self, spec: TrainSpec) -> Retention:
        """See Kind."""
        return spec.retention

    def retry_spec(
        self, tx: Connection, parent: StoredJob, spec: TrainSpec, origin: str
    ) -> TrainSpec:
        """See Kind; from a training state it goes on with momentum and position."""
        if origin == "start":
            return spec
        chosen = _newest_state(tx, parent, spec) if origin == "latest" else origin
        return spec.model_copy(update={"init_from": CheckpointRef(id=chosen, state="full")})


def _require_fitting(reference: CheckpointRef, source: Checkpoint, classes: int | None) -> None:
    if reference.state == "full" and source.phase == "final":
        message = "final weights have no training state; name a step checkpoint or state: weights"
        raise Unprocessable("no_training_state", message, f"{_SOURCE}/state")
    if reference.head != "replace":
        require_classes(source, classes, _SOURCE, may_replace=True)


def _newest_state(tx: Connection, parent: StoredJob, spec: TrainSpec) -> str:
    job_id = parent.job.id
    states = [c for c in checkpoints.published_of(tx, job_id) if c.phase != "final"]
    if states:
        return states[0].id
    # It may have gone on from a state that another job left, and have ended before its first own.
    inherited = spec.init_from is not None and spec.init_from.state == "full"
    if inherited and parent.source_checkpoint is not None:
        return parent.source_checkpoint
    message = f"{job_id} has left no training state; retry it from start, or from a checkpoint"
    raise Unprocessable("no_checkpoint", message, "/from")
