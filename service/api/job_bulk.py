"""The route that does one thing with many jobs."""

from fastapi import APIRouter, Response

from service.api.dependencies import By, Context
from service.api.parameters import IdempotencyKey
from service.contract.bulk import BulkReply, BulkRequest
from service.control.jobs import bulk
from service.control.jobs.bulk_call import BulkCall

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.post("/bulk", response_model=BulkReply)
def change_many(
    body: BulkRequest, context: Context, by: By, key: IdempotencyKey = None
) -> Response:
    """Cancel, pause, resume, retry, delete, label or prioritise many jobs, by ids or by a filter.

    The jobs that the action is refused for are in the results with the reason, and keep no other
    from being changed. A filter that means more than 1,000 is worked off by several calls with a
    `limit`: the `next` of a reply is the `after` of the call that follows. The same Idempotency-Key
    and body give the same results again. The files of deleted jobs are removed a moment later.
    """
    call = BulkCall(body, key, context.now(), lambda: context.new_id("job"), by)
    outcome = bulk.carry_out(context.database, call)
    context.notifier.notify()
    if body.action == "delete":
        context.hasten_gc()
    headers = {"Idempotent-Replay": "true"} if outcome.replayed else {}
    return Response(outcome.body, 200, headers, media_type="application/json")
