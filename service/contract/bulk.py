"""`POST /jobs/bulk`: one action on many jobs, and what became of each."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from service.contract.fields import MOST_LABELS, Id, IdText, LabelKey, LabelValue
from service.contract.job_queries import JobSelection
from service.contract.jobs import JobState
from service.contract.json_types import NO_OTHER_NAMES
from service.contract.reading import Extensible
from service.contract.specs import Priority
from service.contract.text import CutTo, Message, ShortText

MOST_JOBS = 1000
BulkAction = Literal["cancel", "pause", "resume", "retry", "delete", "label", "priority"]
CancelMode = Literal["graceful", "now"]
LabelChanges = Annotated[
    dict[LabelKey, LabelValue | None], Field(min_length=1, max_length=MOST_LABELS), NO_OTHER_NAMES
]
"""By key the new value of a label; null removes it. Other labels stay."""

_OWN_FIELDS: dict[str, tuple[BulkAction, bool]] = {
    "mode": ("cancel", False),
    "from": ("retry", False),
    "labels": ("label", True),
    "priority": ("priority", True),
}
"""By field the action that has it, and whether it needs it."""

_JOB_ID = re.compile(r"^job_[A-Za-z0-9_.-]{1,60}$")


def _job_id(value: Any) -> Any:
    # Compared as text: what is no id of a job may be after all of them, and mean all again.
    if isinstance(value, str) and not _JOB_ID.match(value):
        raise ValueError("must be the id of a job, such as the `next` of the reply before")
    return value


AfterJob = Annotated[str, Field(pattern=_JOB_ID.pattern, max_length=64), BeforeValidator(_job_id)]
"""The id of a job, which may be deleted by now."""
_ABSENT: Any = Field(default=None, exclude_if=lambda value: value is None)


class BulkRequest(BaseModel):
    """An action on the jobs that `ids` names, or on all that `filter` means; at most 1,000.

    With `limit`, a filter may mean more: the newest of them are changed, and the reply has as
    `next` the `after` of the call that goes on with older ones.
    A `cancel` may have a `mode`, a `retry` the `from` of a retry; a `label` has `labels`, a
    `priority` the new `priority`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: BulkAction
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST_JOBS)] | None = None
    filter: JobSelection | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_JOBS)] | None = _ABSENT
    after: AfterJob | None = _ABSENT
    mode: CancelMode | None = None
    origin: Annotated[Id | None, Field(alias="from")] = None
    labels: LabelChanges | None = None
    priority: Priority | None = None

    @model_validator(mode="after")
    def _names_its_jobs(self) -> "BulkRequest":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("name the jobs by ids or by filter, one of the two")
        if self.limit is None and self.after is not None:
            raise ValueError("after is for a call with limit: send both")
        if self.limit is not None and self.filter is None:
            raise ValueError("limit is for a filter: leave it out with ids")
        return self

    @model_validator(mode="after")
    def _has_the_fields_of_its_action(self) -> "BulkRequest":
        values = self.model_dump(by_alias=True)
        for name, (action, is_needed) in _OWN_FIELDS.items():
            has_value = values[name] is not None
            if has_value and self.action != action:
                raise ValueError(f"{name} is for the action {action}; leave it out")
            if is_needed and self.action == action and not has_value:
                raise ValueError(f"the action {action} needs {name}")
        return self


class BulkJob(BaseModel):
    """A job after the action, in few words; `GET /jobs/{id}` has the others."""

    model_config = ConfigDict(frozen=True)

    id: IdText
    state: Annotated[JobState, Extensible]
    version: int
    parent_job_id: IdText | None = None


class BulkProblem(BaseModel):
    """Why the action was refused for one job: what the call for that job alone would say."""

    model_config = ConfigDict(frozen=True)

    code: ShortText
    detail: Message


class BulkResult(BaseModel):
    """What became of one job: of a retry, `job` is the new one; of a deleted job there is none."""

    model_config = ConfigDict(frozen=True)

    id: IdText
    ok: bool
    job: Annotated[BulkJob | None, Field(exclude_if=lambda job: job is None)] = None
    problem: Annotated[BulkProblem | None, Field(exclude_if=lambda problem: problem is None)] = None


class BulkReply(BaseModel):
    """The result of each job that was meant.

    Of a call with a `limit`, `left` is how many older jobs the filter meant when it began, and
    `next` the `after` of the call that goes on with them.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["bulk"] = "bulk"
    matched: int
    results: Annotated[tuple[BulkResult, ...], CutTo(MOST_JOBS)]
    next: IdText | None = _ABSENT
    left: Annotated[int, Field(exclude_if=lambda left: left == 0)] = 0
