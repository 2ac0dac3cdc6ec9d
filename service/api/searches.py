"""The routes of what a search has measured."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.csv_exports import CsvResponse, Parts, Table
from service.api.dependencies import Context
from service.api.exports import CSV
from service.api.parameters import PathId, Whole
from service.api.refusals import refusals
from service.api.responses import (
    UNCHANGED,
    Page,
    conditional,
    is_current,
    listed,
    not_modified,
    running_job_etag,
)
from service.contract.architectures import Blocks
from service.contract.candidates import Candidate
from service.contract.flat_rows import CANDIDATE_COLUMNS, candidate_row
from service.contract.model_json import json_of
from service.contract.search_summaries import CandidateOrder, SearchSummary
from service.control.jobs import searches

router = APIRouter(prefix="/jobs", tags=["searches"])

_PAGE = 1000
_OF_ONE = UNCHANGED | refusals(404)
_After = Annotated[Blocks | None, Query()]
_Limit = Annotated[int, Query(ge=1, le=_PAGE), Whole]


@router.get("/{job_id}/search", response_model=SearchSummary, responses=_OF_ONE)
def summary(request: Request, job_id: PathId, context: Context) -> Response:
    """How far a search is, its best candidate, the Pareto front, the generations, the parents.

    Polls with `If-None-Match` are answered 304 until it has measured more.
    """
    with context.database.read() as tx:
        # Whatever it measures changes its version: a poll need not read the candidates.
        etag = running_job_etag(searches.version(tx, job_id))
        if is_current(request, etag):
            return not_modified(etag)
        shown = searches.summary(tx, job_id)
    return conditional(request, json_of(shown), etag)


@router.get("/{job_id}/candidates", response_model=Page[Candidate], responses=_OF_ONE)
def candidates(
    request: Request,
    job_id: PathId,
    context: Context,
    order_by: CandidateOrder = "order",
    after: _After = None,
    limit: _Limit = 100,
) -> Response:
    """What a search has measured, in the order in which it asked; `after` is the `next` before.

    `fitness` has the best first, `multiply_adds` the smallest. `after` is a candidate's `blocks`.
    """
    with context.database.read() as tx:
        found, has_more = searches.page(tx, job_id, order_by, after, limit)
    return listed(request, found, has_more=has_more, key="blocks")


@router.get("/{job_id}/candidates.csv", response_class=Response, responses=CSV | refusals(404))
def table(
    request: Request, job_id: PathId, context: Context, order_by: CandidateOrder = "order"
) -> CsvResponse:
    """All that a search has measured: a row for each candidate."""
    with context.database.read() as tx:
        searches.require_search(tx, job_id)

    def parts() -> Parts:
        after, more = None, True
        while more:
            with context.database.read() as tx:
                found, more = searches.page(tx, job_id, order_by, after, _PAGE)
            yield [candidate_row(each) for each in found]
            after = found[-1].blocks if found else after

    table = Table(f"candidates-{job_id}", CANDIDATE_COLUMNS, parts)
    return CsvResponse(table, request.app.state.export_limiter)
