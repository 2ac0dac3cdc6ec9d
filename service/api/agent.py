"""The routes that agents use; every verb may be sent twice."""

import asyncio

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api.dependencies import Authorized, TheYard, Yard
from service.contract.agent import (
    BeatReply,
    Claim,
    ClaimRequest,
    Gone,
    Heartbeat,
    HeartbeatReply,
    Registered,
    Registration,
    Report,
)
from service.control.leases import claims, heartbeats, workers

router = APIRouter(prefix="/agent", tags=["agent"], dependencies=[Authorized])

_POLL_SECONDS = 2.0


@router.put("/workers/{worker_id}")
def register(worker_id: str, said: Registration, yard: TheYard) -> Registered:
    """Join, or say again who one is."""
    with yard.database.write() as tx:
        return workers.register(tx, worker_id, said, yard.now())


@router.post("/workers/{worker_id}/gone", status_code=204)
def gone(worker_id: str, said: Gone, yard: TheYard) -> None:
    """A worker has ended with all its processes."""
    with yard.database.write() as tx:
        workers.gone(tx, worker_id, said, patience=yard.patience(), now=yard.now())
    yard.wakeups.ring()


@router.post("/claims", response_model=Claim, responses={204: {"description": "Nothing to do"}})
async def claim(request: Request, wanted: ClaimRequest, yard: TheYard) -> Response:
    """Wait for a job; no database connection is held meanwhile."""
    loop = asyncio.get_running_loop()
    # A worker that waits is silent: it must come back before it is thought unreachable.
    wait_seconds = min(wanted.wait_seconds, yard.settings.unreachable_seconds / 2)
    deadline = loop.time() + wait_seconds
    token, first = yard.new_token(), True
    while True:
        rung = yard.wakeups.count
        found = await run_in_threadpool(_try_claim, yard, wanted, token, first)
        first = False
        if found is not None:
            return Response(found.model_dump_json(), media_type="application/json")
        left = deadline - loop.time()
        if left <= 0 or yard.wakeups.closed:
            return Response(status_code=204)
        await yard.wakeups.wait(rung, min(left, _POLL_SECONDS))
        if await request.is_disconnected():
            return Response(status_code=204)


@router.post("/heartbeats")
def heartbeat(said: Heartbeat, yard: TheYard) -> HeartbeatReply:
    """Renew the leases of a worker's attempts; each is told what to do."""
    with yard.database.write() as tx:
        return heartbeats.heartbeat(tx, said, yard.now())


@router.post("/reports")
def report(said: Report, yard: TheYard) -> BeatReply:
    """The end of an attempt."""
    with yard.database.write() as tx:
        reply = claims.report(
            tx,
            said,
            patience=yard.patience(),
            quick_seconds=yard.settings.quick_failure_seconds,
            now=yard.now(),
        )
    yard.wakeups.ring()
    return reply


def _try_claim(yard: Yard, wanted: ClaimRequest, token: str, first: bool) -> Claim | None:
    if not first:
        with yard.database.read() as tx:
            if not claims.is_anything_queued(tx, wanted, yard.now()):
                return None
    with yard.database.write() as tx:
        return claims.claim(tx, wanted, token=token, lease=yard.lease, now=yard.now())
