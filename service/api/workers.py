"""The routes of workers, as users see them."""

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context
from service.api.parameters import Flag, PathId, SamplePoints, Since
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, conditional, listed
from service.contract.model_json import json_of
from service.contract.samples import WorkerSamples
from service.contract.workers import Worker, WorkerDetail
from service.control.leases import samples as worker_samples
from service.control.leases import workers

router = APIRouter(prefix="/workers", tags=["workers"])

_MOST_ENDED = 100


@router.get("", response_model=Page[Worker], responses=UNCHANGED)
def page(request: Request, context: Context, samples: Flag = True, ended: Flag = False) -> Response:
    """The workers that have not ended, each with the last sample of its use.

    With `samples=false` without samples. With `ended` the 100 workers that ended last instead.
    """
    with context.database.read() as tx:
        if ended:
            return listed(request, workers.ended(tx, _MOST_ENDED))
        present = workers.present(tx)
        if samples:
            present = worker_samples.with_last(tx, present, context.now())
    return listed(request, present)


@router.get("/{worker_id}", response_model=WorkerDetail, responses=UNCHANGED | refusals(404))
def get(request: Request, worker_id: PathId, context: Context) -> Response:
    """One worker, also one that has ended, with the recipes and kinds of job that it can run."""
    with context.database.read() as tx:
        worker = worker_samples.detail(tx, worker_id, context.now())
    return conditional(request, json_of(worker))


@router.get(
    "/{worker_id}/samples", response_model=WorkerSamples, responses=UNCHANGED | refusals(404)
)
def samples(
    request: Request,
    worker_id: PathId,
    context: Context,
    since: Since = None,
    max_points: SamplePoints = 300,
) -> Response:
    """The use of the worker's host and GPUs, at most of the last seven days.

    Of a series with more than `max_points` the lowest and the highest value of each part are kept.
    """
    with context.database.read() as tx:
        series = worker_samples.of_worker(tx, worker_id, since, max_points, context.now())
    return conditional(request, json_of(series))


@router.post(
    "/{worker_id}/drain", status_code=202, response_model=Worker, responses=refusals(404, 409)
)
def drain(worker_id: PathId, context: Context) -> Worker:
    """Have it finish what it runs and claim nothing new."""
    with context.database.write() as tx:
        workers.drain(tx, worker_id, context.now())
    with context.database.read() as tx:
        return workers.get(tx, worker_id)


@router.post(
    "/{worker_id}/resume", status_code=202, response_model=Worker, responses=refusals(404, 409)
)
def resume(worker_id: PathId, context: Context) -> Worker:
    """Let a draining or quarantined worker claim again."""
    with context.database.write() as tx:
        workers.resume(tx, worker_id, context.now())
    context.notifier.notify()
    with context.database.read() as tx:
        return workers.get(tx, worker_id)
