"""The routes that agents use; every verb may be sent twice."""

import asyncio

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from service.api.dependencies import Context, OpenRequest
from service.api.parameters import PathId
from service.api.refusals import refusals
from service.context import AppContext
from service.contract.agent import BeatReply, Claim, ClaimRequest, Heartbeat, HeartbeatReply, Report
from service.contract.catalog import Catalog
from service.contract.registration import (
    Gone,
    Registration,
    RegistrationReply,
    ServerVolume,
    WorkerVolume,
)
from service.control.leases import claims, heartbeats, reports, workers
from service.control.leases.queue_spans import trace_claim
from service.control.scheduling import catalogs
from service.domain.catalog_rules import check_catalog, check_storable

router = APIRouter(prefix="/agent", tags=["agent"], responses=refusals(404, 409))

_POLL_SECONDS = 2.0


@router.put("/workers/{worker_id}")
def register(worker_id: PathId, body: Registration, context: Context) -> RegistrationReply:
    """Register a worker; a repeated registration replaces what it sent before."""
    with context.database.write() as tx:
        return workers.register(tx, worker_id, body, context.now())


@router.put("/workers/{worker_id}/volume")
def put_volume(worker_id: str, body: WorkerVolume, context: Context) -> ServerVolume:
    """Compare a worker's volume with the server's; one that never sends it is trusted."""
    with context.database.write() as tx:
        reply = workers.compare_volume(tx, worker_id, body, context.volume.id, context.now())
    context.notifier.notify()
    return reply


@router.put("/workers/{worker_id}/catalog", status_code=204)
def put_catalog(worker_id: PathId, catalog: Catalog, context: Context) -> None:
    """Note what a worker can do; one that never sends a catalog can do what is built in."""
    check_storable(catalog)
    with context.database.read() as tx:
        is_checked = catalogs.is_stored(tx, catalog)
    if not is_checked:
        # Before the transaction that writes: a large one takes a moment.
        check_catalog(catalog)
    try:
        _put_catalog(context, worker_id, catalog)
    except IntegrityError:
        # Another worker sent the same one at this moment; now it is there.
        _put_catalog(context, worker_id, catalog)
    context.notifier.notify()


@router.post("/workers/{worker_id}/gone", status_code=204)
def gone(worker_id: PathId, body: Gone, context: Context) -> None:
    """A worker has ended with all its processes."""
    with context.database.write() as tx:
        workers.end_worker(
            tx, worker_id, body, backoff_policy=context.backoff_policy(), now=context.now()
        )
    context.notifier.notify()


@router.post(
    "/claims",
    response_model=Claim,
    responses={204: {"description": "Nothing to do"}},
    dependencies=[OpenRequest],
)
async def claim(request: Request, body: ClaimRequest, context: Context) -> Response:
    """Wait for a job; no database connection is held meanwhile."""
    loop = asyncio.get_running_loop()
    # A worker that waits is silent: it must come back before it is thought unreachable.
    wait_seconds = min(body.wait_seconds, context.settings.unreachable_seconds / 2)
    deadline = loop.time() + wait_seconds
    token, first = context.new_token(), True
    while True:
        seen = context.notifier.count
        reply = await run_in_threadpool(_try_claim, context, body, token, first)
        first = False
        if reply is not None:
            return Response(reply.model_dump_json(), media_type="application/json")
        left = deadline - loop.time()
        if left <= 0 or context.notifier.closed:
            return Response(status_code=204)
        await context.notifier.wait(seen, min(left, _POLL_SECONDS))
        if await request.is_disconnected():
            return Response(status_code=204)


@router.post("/heartbeats", response_model=HeartbeatReply)
def heartbeat(body: Heartbeat, context: Context) -> Response:
    """Renew the leases of a worker's attempts; the reply has a directive for each."""
    now = context.now()
    with context.database.write() as tx:
        reply = heartbeats.heartbeat(tx, body, now)
    # Of a worker that is known: stored with those of others, by a loop.
    context.samples.add(body.worker_id, body.sample, now)
    most_seconds = context.settings.reassign_seconds
    context.metrics.observe_heartbeat(body.worker_id, now.timestamp(), most_seconds)
    return Response(reply.model_dump_json(), media_type="application/json")


@router.post("/reports")
def report(body: Report, context: Context) -> BeatReply:
    """The end of an attempt."""
    with context.database.write() as tx:
        reply = reports.end(
            tx,
            body,
            backoff_policy=context.backoff_policy(),
            quick_seconds=context.settings.quick_failure_seconds,
            now=context.now(),
        )
    context.notifier.notify()
    return reply


def _put_catalog(context: AppContext, worker_id: PathId, catalog: Catalog) -> None:
    with context.database.write() as tx:
        catalogs.put(tx, worker_id, catalog, context.now())


def _try_claim(context: AppContext, body: ClaimRequest, token: str, first: bool) -> Claim | None:
    if not first:
        with context.database.read() as tx:
            if not claims.has_eligible_job(tx, body, context.now()):
                return None
    with context.database.write() as tx:
        grant = claims.claim(tx, body, token=token, now=context.now())
    if grant is None:
        return None
    with context.database.read() as tx:
        given = claims.claim_of(tx, grant, context.lease)
        if given is None or context.tracer is None:
            return given
        return trace_claim(tx, context.tracer, given, context.now())
