"""The routes of workers, as users see them."""

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context
from service.api.parameters import PathId
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, listed
from service.contract.workers import Worker
from service.control.leases import workers

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("", response_model=Page[Worker], responses=UNCHANGED)
def page(request: Request, context: Context) -> Response:
    """The workers that have not ended."""
    with context.database.read() as tx:
        return listed(request, workers.present(tx))


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
