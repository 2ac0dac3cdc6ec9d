"""The route of the audit list."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service.api.dependencies import Context
from service.api.parameters import Whole
from service.api.responses import UNCHANGED, Page, listed
from service.contract.audit import AuditEntry, AuditSelection
from service.control.access import audit

router = APIRouter(tags=["audit"])


class AuditQuery(AuditSelection):
    """Narrows and cuts the audit list; `after` is the `next` of the page before."""

    after: Annotated[int, Field(ge=0, le=2**53), Whole] | None = None
    limit: Annotated[int, Field(ge=1, le=1000), Whole] = 50


@router.get("/audit", response_model=Page[AuditEntry], responses=UNCHANGED)
def page(request: Request, query: Annotated[AuditQuery, Query()], context: Context) -> Response:
    """What callers have changed, and what they were refused, newest first.

    `actor` is the name of a token, `subject` the id of a job, a checkpoint, a worker, a webhook, a
    token or a session, `action` a word such as `job.cancel`, or `job` for all that was done with
    jobs; `since` and `until` are moments, the second one excluded. Entries are kept for a year, or
    as long as the server's settings say.
    """
    with context.database.read() as tx:
        entries, has_more = audit.page(tx, query, query.after, query.limit)
    return listed(request, entries, has_more=has_more, key="number")
