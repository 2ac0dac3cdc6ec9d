"""What each kind of job defines for the control plane."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection

from service.contract.actions import JobAction
from service.contract.checkpoints import Checkpoint, Manifest
from service.contract.hints import Hint
from service.contract.jobs import Job, Progress
from service.contract.specs import AnySpec, CheckpointRef, KindName, Retention
from service.domain.errors import Unprocessable
from service.store.job_rows import StoredJob

Spec = TypeVar("Spec", bound=AnySpec)


@dataclass(frozen=True)
class CheckedSubmission(Generic[Spec]):
    """A submission that can run, with its network and the checkpoint that it starts from.

    `classes` are those of its data, where they are known.
    """

    spec: Spec
    recipe: str | None = None
    variant: str | None = None
    source: Checkpoint | None = None
    search: str | None = None
    """The search whose architecture it has."""
    classes: int | None = None


@dataclass(frozen=True)
class ResumePoint:
    """The published training state from which a retry of a job would go on."""

    checkpoint_id: str
    step: int


def resolved(reference: CheckpointRef, source_id: str | None) -> CheckpointRef:
    """The reference of an ended job as it was resolved when the job was submitted.

    One that names a job would mean another checkpoint now, or none if that job is deleted.
    """
    if reference.job is None or source_id is None:
        return reference
    return reference.model_copy(update={"id": source_id, "job": None, "which": "latest"})


class Kind(ABC, Generic[Spec]):
    """A kind of job; what most kinds do the same way is written here."""

    name: ClassVar[KindName]
    network_from_checkpoint: ClassVar[bool] = False
    """Whether the job's recipe and variant become known with its first checkpoint."""
    publishes_once: ClassVar[bool] = False
    """Whether an attempt tells of what an earlier one has published, instead of publishing it."""

    def complete(self, _: Connection, spec: Spec) -> Spec:
        """The spec as it is stored, with what the user left out; raises Unprocessable."""
        return spec

    @abstractmethod
    def check(self, tx: Connection, spec: Spec) -> CheckedSubmission[Spec]:
        """A complete spec that can run; locks its source until the transaction ends.

        Raises Unprocessable for what cannot run, NotFound and Conflict for a resource that the
        submission acts on.
        """

    def hints(self, _: Connection, __: CheckedSubmission[Spec]) -> Sequence[Hint]:
        """What is worth knowing of a submission that can run."""
        return ()

    def may_publish(self, _: Connection, job: Job, manifest: Manifest) -> bool:
        """Whether a checkpoint's network may be one that the job leaves: its own, by default."""
        return (manifest.recipe, manifest.variant) == (job.recipe, job.variant)

    def note_retry(self, _: Connection, __: StoredJob, retry_id: str) -> None:
        """Store for a job's retry what that goes on with."""

    @abstractmethod
    def title(self, spec: Spec) -> str:
        """A short title of the job, such as `train of oneshot`."""

    def first_progress(self, _: Spec) -> Progress:
        """How far a job is that has not begun."""
        return Progress(total_steps=1, phase=self.name)

    def retention(self, _: Spec) -> Retention | None:
        """Which of its checkpoints stay; None where all do, as they were given on purpose."""
        return None

    def tags(self, _: Spec) -> Sequence[str]:
        """The tags of its checkpoints."""
        return ()

    def resume_points(self, _: Connection, __: Sequence[StoredJob]) -> Mapping[str, ResumePoint]:
        """By id those of the jobs, all of this kind, that have one."""
        return {}

    def retry_origins(self, _: Spec, __: ResumePoint | None) -> tuple[str, ...]:
        """What a retry of an ended job may start from, besides a checkpoint's id; best first.

        Empty where it cannot be retried.
        """
        return ("start",)

    def note_success(self, _: Connection, __: Job, ___: Mapping[str, Any], now: datetime) -> None:
        """Store what the result of a job that has succeeded tells the control plane."""

    def uses(self, _: Job) -> Sequence[JobAction]:
        """What may be made of what the job has left so far."""
        return ()

    def continuations(self, _: Spec, __: ResumePoint | None) -> Sequence[JobAction]:
        """What goes on from the state in which a job has succeeded."""
        return ()

    def retry_spec(self, _: Connection, __: StoredJob, spec: Spec, origin: str) -> Spec:
        """The spec of an ended job's retry from `latest`, `start` or a checkpoint's id.

        Raises Unprocessable for an origin that it cannot start from. A job that saves nothing on
        its way has its start as its latest state.
        """
        if origin not in ("latest", "start"):
            message = f"an {self.name} starts from its own request"
            raise Unprocessable("no_origin", message, "/from")
        return spec
