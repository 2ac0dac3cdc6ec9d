"""The routes of tables: a list or series as one CSV file, whole, however long it is."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from service.api.checkpoint_queries import AskedCheckpoints
from service.api.csv_exports import CsvResponse, Parts, Table, part_by_part
from service.api.dependencies import Context
from service.api.job_queries import JobListQuery
from service.api.job_series import IDS_PATTERN, MOST_JOBS, few_ids
from service.api.jobs import MetricNames
from service.api.parameters import Past, PathId
from service.api.refusals import Responses, refusals
from service.contract.flat_rows import (
    CHECKPOINT_COLUMNS,
    EVENT_COLUMNS,
    JOB_COLUMNS,
    checkpoint_row,
    event_row,
    job_row,
)
from service.control.checkpoints import index
from service.control.jobs import history, pages, series_rows
from service.domain.errors import Unprocessable
from service.store.job_pages import PageRequest
from service.store.job_search import filter_of

router = APIRouter(tags=["exports"])

_PAGE = 500
_MOST_COLUMNS = 1_000
CSV: Responses = {
    200: {
        "description": "The whole table; the first line has the names of the columns",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
"""Of a route that answers with a table, for the OpenAPI document."""


@router.get("/exports/jobs.csv", response_class=Response, responses=CSV)
def jobs(
    request: Request, query: Annotated[JobListQuery, Query()], context: Context
) -> CsvResponse:
    """All jobs to which everything that is given applies, as `GET /jobs` takes it.

    Beside the fields of a job there is a column for each metric, parameter and label that any of
    them has, such as `metrics.loss`, `param.learning_rate` and `label.team`.
    """

    def parts() -> Parts:
        after, first = None, context.now()
        while True:
            asked = PageRequest(filter_of(query), query.order_by, after, _PAGE)
            with context.database.read() as tx:
                listed, after = pages.jobs_of_page(tx, asked, first)
            yield [job_row(job) for job in listed]
            if after is None:
                return

    return _sent(request, Table("jobs", JOB_COLUMNS, parts, complete=False))


@router.get("/exports/checkpoints.csv", response_class=Response, responses=CSV)
def checkpoints(request: Request, context: Context, asked: AskedCheckpoints) -> CsvResponse:
    """All checkpoints that `GET /checkpoints` lists with these filters, with all their metrics."""

    def parts() -> Parts:
        after, more = None, True
        while more:
            with context.database.read() as tx:
                listed, more = index.page(tx, replace(asked, after=after, limit=_PAGE))
            yield [checkpoint_row(each) for each in listed]
            after = listed[-1].id if listed else None

    return _sent(request, Table("checkpoints", CHECKPOINT_COLUMNS, parts, complete=False))


@router.get("/exports/metrics.csv", response_class=Response, responses=CSV | refusals(404))
def metrics(
    request: Request,
    context: Context,
    jobs: Annotated[
        str,
        Query(pattern=IDS_PATTERN, max_length=65 * MOST_JOBS),
        BeforeValidator(few_ids),
    ],
    names: MetricNames = None,
    since_step: Past = 0,
) -> CsvResponse:
    """What at most 100 jobs have measured: a row for each job and step, a column for each metric.

    `jobs` and `names` are comma-separated. Every point that is kept is there, none is thinned.
    `time` is when the server heard of the step, where it has noted that; validations have the step
    after which they were.
    """
    job_ids = list(dict.fromkeys(jobs.split(",")))
    with context.database.read() as tx:
        history.require_jobs(tx, job_ids)
        columns = series_rows.names_of(tx, job_ids, names.split(",") if names else None)
    if len(columns) > _MOST_COLUMNS:
        message = f"these jobs have {len(columns)} metrics; choose at most {_MOST_COLUMNS} by names"
        raise Unprocessable("too_many_columns", message, "/names")

    def parts() -> Parts:
        for job_id in job_ids:
            with context.database.read() as tx:
                rows = series_rows.of_job(tx, job_id, columns, since_step)
            yield from part_by_part(rows)

    table = Table("metrics", [*series_rows.COLUMNS, *columns], parts)
    return _sent(request, table)


@router.get(
    "/exports/jobs/{job_id}/events.csv", response_class=Response, responses=CSV | refusals(404)
)
def events(request: Request, job_id: PathId, context: Context, after: Past = 0) -> CsvResponse:
    """What happened to a job, oldest first, from the event after a number on."""
    with context.database.read() as tx:
        history.require_jobs(tx, [job_id])

    def parts() -> Parts:
        number, more = after, True
        while more:
            with context.database.read() as tx:
                listed, more = history.events(tx, job_id, number, _PAGE)
            yield [event_row(event) for event in listed]
            number = listed[-1].number if listed else number

    return _sent(request, Table("events", EVENT_COLUMNS, parts))


def _sent(request: Request, table: Table) -> CsvResponse:
    return CsvResponse(table, request.app.state.export_limiter)
