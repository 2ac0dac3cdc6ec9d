"""The query of `GET /jobs`: which jobs, in which order, and what of each."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from service.api.parameters import Whole
from service.contract.job_queries import JobSelection
from service.contract.jobs import Job
from service.contract.nearest import nearest_name
from service.store.job_pages import PageRequest
from service.store.job_search import filter_of

_ORDER = re.compile(
    r"^-?(created_at|duration|priority|metrics\.[A-Za-z0-9_][A-Za-z0-9_./:@ -]{0,63})$"
)
_AFTER = re.compile(r"^(job_[A-Za-z0-9_.-]{1,60}|after_[A-Za-z0-9_-]{1,500})$")
_MOST_FIELDS_TEXT = 1000


def _readable_order(value: Any) -> Any:
    if isinstance(value, str) and not _ORDER.match(value):
        raise ValueError(
            "must be created_at, duration, priority or metrics.NAME, such as metrics.top1_error; "
            "with - before it the highest come first"
        )
    return value


def _readable_after(value: Any) -> Any:
    if isinstance(value, str) and not _AFTER.match(value):
        raise ValueError("must be the id of a job, such as the `next` of the page before")
    return value


def _known_fields(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > _MOST_FIELDS_TEXT:
        return value
    for name in value.split(","):
        if name not in Job.model_fields:
            nearest = nearest_name(name, list(Job.model_fields))
            hint = f"; did you mean {nearest}?" if nearest is not None else ""
            names = ", ".join(Job.model_fields)
            raise ValueError(f"a job has no field {name[:64]!r}{hint} There are {names}")
    return value


class JobListQuery(JobSelection):
    """Narrows and orders a list of jobs; those without the value of the order come last.

    Several states, kinds and labels are given one by one, as in `state=queued&state=running`.
    """

    order_by: Annotated[
        str, Field(pattern=_ORDER.pattern, max_length=80), BeforeValidator(_readable_order)
    ] = "-created_at"


class JobQuery(JobListQuery):
    """Narrows, orders and cuts a list of jobs; `fields` are the fields of a job that it shows."""

    after: Annotated[
        str | None,
        Field(pattern=_AFTER.pattern, max_length=512),
        BeforeValidator(_readable_after),
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000), Whole] = 20
    fields: Annotated[
        str | None, Field(max_length=_MOST_FIELDS_TEXT), BeforeValidator(_known_fields)
    ] = None

    @property
    def page_request(self) -> PageRequest:
        """The page that is asked for."""
        names = frozenset(self.fields.split(",")) | {"id"} if self.fields is not None else None
        if names is not None and "spec" in names:
            # Nobody takes a spec for whole that is not.
            names |= {"left_out"}
        return PageRequest(filter_of(self), self.order_by, self.after, self.limit, names)
