"""Trainings."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from service.contract.actions import JobAction
from service.contract.checkpoints import Checkpoint
from service.contract.hints import Hint
from service.contract.jobs import Job, Progress
from service.contract.resuming import can_resume
from service.contract.specs import AnySpec, CheckpointRef, Retention, TrainSpec
from service.contract.stored_specs import UnreadableSpec
from service.control.kinds.base import CheckedSubmission, Kind, ResumePoint, resolved
from service.control.kinds.data import classes_of, dataset_of, require_batch, require_shares
from service.control.kinds.found_paths import with_found_path
from service.control.kinds.hints import training_hints
from service.control.kinds.sources import (
    located,
    require_classes,
    require_network,
    source_of,
    with_network,
)
from service.control.kinds.supernet_rules import require_sampled_paths
from service.control.kinds.uses import train_longer, uses_of_latest
from service.domain.errors import Unprocessable
from service.domain.known_parameters import KnownParameters
from service.store import checkpoints, jobs
from service.store.job_rows import StoredJob

_SOURCE = "/init_from"


class TrainKind(Kind[TrainSpec]):
    """Trainings from fresh weights or from a checkpoint, which save training states."""

    name = "train"

    def complete(self, tx: Connection, spec: TrainSpec) -> TrainSpec:
        """See Kind."""
        init_from = located(tx, spec.init_from, _SOURCE)
        spec = with_found_path(tx, spec.model_copy(update={"init_from": init_from}))
        return with_network(tx, spec, source_of(tx, init_from, _SOURCE), _SOURCE)

    def check(self, tx: Connection, spec: TrainSpec) -> CheckedSubmission[TrainSpec]:
        """See Kind."""
        source = source_of(tx, spec.init_from, _SOURCE)
        require_network(spec, source, _SOURCE)
        params = KnownParameters.of(spec.params)
        dataset = dataset_of(tx, spec.data)
        classes = classes_of(dataset, params)
        require_batch(dataset, params)
        require_shares(spec.resources, params)
        require_sampled_paths(tx, spec.network[0], spec.params)
        if source is not None:
            _require_fitting(tx, spec, source, classes)
        return CheckedSubmission(spec, *spec.network, source, spec.search, classes)

    def hints(self, tx: Connection, checked: CheckedSubmission[TrainSpec]) -> Sequence[Hint]:
        """See Kind."""
        return training_hints(tx, checked)

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

    def resume_points(self, tx: Connection, rows: Sequence[StoredJob]) -> Mapping[str, ResumePoint]:
        """See Kind: its newest own, else the one that it was to go on from itself."""
        if not rows:
            return {}
        newest = checkpoints.newest_states(tx, [row.job.id for row in rows])
        # A job may have resumed another job's state, and have ended before its own first one.
        sources = {
            row.job.id: row.source_checkpoint
            for row in rows
            if row.job.id not in newest and row.source_checkpoint and _goes_on(row.job.spec)
        }
        steps = checkpoints.published_steps(tx, list(sources.values())) if sources else {}
        points = {job_id: ResumePoint(*state) for job_id, state in newest.items()}
        return points | {
            job_id: ResumePoint(source, steps[source])
            for job_id, source in sources.items()
            if source in steps
        }

    def retry_origins(self, _: TrainSpec, point: ResumePoint | None) -> tuple[str, ...]:
        """See Kind."""
        return ("latest", "start") if point is not None else ("start",)

    def uses(self, job: Job) -> Sequence[JobAction]:
        """See Kind."""
        assert isinstance(job.spec, TrainSpec)
        return uses_of_latest(job, job.spec)

    def continuations(self, spec: TrainSpec, point: ResumePoint | None) -> Sequence[JobAction]:
        """See Kind: a longer training."""
        return () if point is None else (train_longer(point.checkpoint_id, spec),)

    def retry_spec(
        self, tx: Connection, parent: StoredJob, spec: TrainSpec, origin: str
    ) -> TrainSpec:
        """See Kind; from a training state it goes on with momentum and position."""
        if origin == "start":
            if spec.init_from is None:
                return spec
            start = resolved(spec.init_from, parent.source_checkpoint)
            return spec.model_copy(update={"init_from": start})
        chosen = self._latest_of(tx, parent) if origin == "latest" else origin
        return spec.model_copy(update={"init_from": CheckpointRef(id=chosen, state="full")})

    def _latest_of(self, tx: Connection, parent: StoredJob) -> str:
        job_id = parent.job.id
        point = self.resume_points(tx, [parent]).get(job_id)
        if point is None:
            message = (
                f"{job_id} has left no training state; retry it from start, or from a checkpoint"
            )
            raise Unprocessable("no_checkpoint", message, "/from")
        return point.checkpoint_id


def _goes_on(spec: AnySpec | UnreadableSpec) -> bool:
    reference = spec.init_from if isinstance(spec, TrainSpec) else None
    return reference is not None and reference.state == "full"


def _require_fitting(
    tx: Connection, spec: TrainSpec, source: Checkpoint, classes: int | None
) -> None:
    reference = spec.init_from
    assert reference is not None
    if reference.state == "full" and source.phase == "final":
        message = "final weights have no training state; name a step checkpoint or state: weights"
        raise Unprocessable("no_training_state", message, f"{_SOURCE}/state")
    if reference.state == "full":
        _require_iterations(tx, spec, source)
    if reference.head != "replace":
        require_classes(source, classes, _SOURCE, may_replace=True)


def _require_iterations(tx: Connection, spec: TrainSpec, source: Checkpoint) -> None:
    total_iters = KnownParameters.of(spec.params).total_iters
    if total_iters is None:
        return
    trained = _total_iters_of(tx, source) if source.phase == "recalibrate" else None
    if can_resume(source, total_iters, total_iters_of_state=trained):
        return
    exact = f"{trained} or " if trained is not None else ""
    message = (
        f"checkpoint {source.id} is at step {source.step}: nothing is left to train of "
        f'{total_iters} iterations; set total_iters to {exact}more, or "state": "weights"'
    )
    raise Unprocessable("nothing_left", message, "/params/total_iters")


def _total_iters_of(tx: Connection, source: Checkpoint) -> int | None:
    origin = jobs.get(tx, source.job_id)
    spec = origin.job.spec if origin is not None else None
    return KnownParameters.of(spec.params).total_iters if isinstance(spec, TrainSpec) else None
