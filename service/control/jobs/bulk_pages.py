"""Which jobs one call on many jobs changes, of all that its filter means."""

from dataclasses import dataclass

from sqlalchemy import Connection

from service.contract.bulk import MOST_JOBS, BulkRequest
from service.domain.errors import Unprocessable
from service.store.job_search import count_matching, filter_of, matching_ids


@dataclass(frozen=True)
class BulkPage:
    """The jobs of one call, and how many more the filter means: those older than `next`."""

    job_ids: list[str]
    next: str | None = None
    left: int = 0


def page_of(tx: Connection, request: BulkRequest) -> BulkPage:
    """The jobs that a request names or means, the newest first.

    Raises Unprocessable where they are too many and the request has no `limit`.
    """
    if request.ids is not None:
        return BulkPage(list(dict.fromkeys(request.ids)))
    assert request.filter is not None, "a request has ids or a filter"
    wanted, limit = filter_of(request.filter), request.limit or MOST_JOBS
    job_ids = matching_ids(tx, wanted, limit + 1, after=request.after)
    if len(job_ids) <= limit:
        return BulkPage(job_ids)
    if request.limit is None:
        message = (
            f"{count_matching(tx, wanted):,} jobs match this filter, and one call changes at most "
            f"{MOST_JOBS:,}: narrow the filter, as by created_after or by a label, or change them "
            f'by several calls, each with "limit": {MOST_JOBS} and, from the second on, the '
            "`next` of the reply before as `after`"
        )
        raise Unprocessable("too_many_jobs", message, "/filter")
    last = job_ids[limit - 1]
    return BulkPage(job_ids[:limit], last, count_matching(tx, wanted, after=last))
