"""Jobs whose spec this version cannot read: it keeps what they have, and starts nothing anew."""

from typing import Any, NoReturn

from sqlalchemy import Connection

from service.contract.jobs import Progress
from service.contract.stored_specs import UnreadableSpec
from service.control.kinds.base import Kind, ResumePoint
from service.domain.errors import Conflict
from service.store.job_rows import StoredJob


class UnreadableKind(Kind[Any]):
    """The kind of a job whose spec this version cannot read."""

    def check(self, _: Connection, spec: UnreadableSpec) -> NoReturn:
        """See Kind; raises Conflict."""
        raise Conflict("unreadable_spec", spec.problem)

    def title(self, spec: UnreadableSpec) -> str:
        """See Kind."""
        return f"unreadable {spec.kind}"

    def first_progress(self, _: UnreadableSpec) -> Progress:
        """See Kind."""
        return Progress(total_steps=1)

    def retry_origins(self, _: UnreadableSpec, __: ResumePoint | None) -> tuple[str, ...]:
        """See Kind: none, as nothing of it is tried again."""
        return ()

    def retry_spec(
        self, _: Connection, __: StoredJob, spec: UnreadableSpec, origin: str
    ) -> NoReturn:
        """See Kind; raises Conflict."""
        raise Conflict("unreadable_spec", f"it cannot be retried from {origin}: {spec.problem}")
