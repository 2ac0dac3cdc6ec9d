"""The JSON of running jobs, of which a report of progress changes a small part."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from service.contract.jobs import Job
from service.contract.model_json import json_of
from service.control.jobs import views
from service.control.jobs.permitted_actions import seen_by
from service.domain.access import Caller
from service.store.job_reading import PolledJob

_NAMES = list(Job.model_fields)
_BEFORE_PROGRESS = set(_NAMES[: _NAMES.index("progress")])
_AFTER_METRICS = set(_NAMES[_NAMES.index("metrics") + 1 : _NAMES.index("version")])
assert _NAMES[len(_BEFORE_PROGRESS) :][:2] == ["progress", "metrics"]
assert _NAMES[-1] == "version"
_METRICS = TypeAdapter(dict[str, float])
_MOST_KEPT = 256


def body_of(job: PolledJob, reader: Caller) -> bytes | None:
    """The body that answers a poll, as that of the job's view; None if other rows are in that."""
    frame = _frame_of(job.others, job.left_out, reader)
    if frame is None:
        return None
    head, tail = frame
    metrics = _METRICS.dump_json(job.metrics)
    changed = b'"progress":%b,"metrics":%b' % (json_of(job.progress), metrics)
    return b'{%b,%b,%b,"version":%d}' % (head, changed, tail, job.version)


@lru_cache(maxsize=_MOST_KEPT)
def _frame_of(
    others: tuple[Any, ...], left_out: int | None, reader: Caller
) -> tuple[bytes, bytes] | None:
    """The members of a job's JSON before its progress and after its metrics."""
    view = views.view_of_others(others, left_out)
    if view is None:
        return None
    seen = seen_by(view, reader)
    parts = (json_of(seen, of=names) for names in (_BEFORE_PROGRESS, _AFTER_METRICS))
    head, tail = (part[1:-1] for part in parts)
    return head, tail
