"""One action on many jobs: what one of them is refused for keeps no other from being changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from service.contract.bulk import MOST_JOBS, BulkReply, BulkResult
from service.contract.model_json import json_of
from service.control.access.ownership import require_owner
from service.control.jobs import search_family
from service.control.jobs.bulk_call import BulkCall
from service.control.jobs.bulk_changes import EDITS, all_together, each_alone, refused
from service.control.jobs.bulk_pages import BulkPage, page_of
from service.domain.errors import Forbidden, IdempotencyMismatch, NotFound
from service.store import idempotency
from service.store import jobs as store
from service.store.engine import Database
from service.store.job_rows import StoredJob
from service.store.job_search import conditions, filter_of

_BATCHES = {"retry": 25, "delete": 50}
"""Of actions that send many statements for a job: other writers wait for a transaction."""
_ALSO_OF_PARTS = ("cancel", "pause", "resume", *EDITS)


@dataclass(frozen=True)
class BulkOutcome:
    """The JSON of a `BulkReply`; `replayed` if an earlier call with the same key made it."""

    body: bytes
    replayed: bool


def carry_out(database: Database, call: BulkCall) -> BulkOutcome:
    """Do what is asked for, by one transaction or few; the result of each job.

    Raises IdempotencyMismatch, and Unprocessable where too many jobs match.
    """
    with database.read() as tx:
        earlier = _earlier(tx, call)
        page = page_of(tx, call.request) if earlier is None else BulkPage([])
    if earlier is not None:
        return earlier
    try:
        return BulkOutcome(_done(database, call, page), replayed=False)
    except IntegrityError:
        # A concurrent call with the same key was faster: now its reply is there.
        with database.read() as tx:
            earlier = _earlier(tx, call)
        if earlier is None:
            raise
        return earlier


def _earlier(tx: Connection, call: BulkCall) -> BulkOutcome | None:
    before = idempotency.find(tx, call.key)
    if before is None:
        return None
    if before.body_sha256 != call.digest or before.reply is None:
        raise IdempotencyMismatch
    return BulkOutcome(before.reply.encode(), replayed=True)


def _done(database: Database, call: BulkCall, page: BulkPage) -> bytes:
    job_ids, size = page.job_ids, _BATCHES.get(call.request.action, MOST_JOBS)
    batches = [job_ids[start : start + size] for start in range(0, len(job_ids), size)] or [[]]
    results: list[BulkResult] = []
    for number, batch in enumerate(batches, 1):
        with database.write() as tx:
            results += _results(tx, call, batch)
            if number == len(batches):
                reply = BulkReply(
                    matched=len(results), results=tuple(results), next=page.next, left=page.left
                )
                body = json_of(reply)
                if call.key is not None:
                    idempotency.add_reply(tx, call.key, call.digest, body.decode(), call.now)
    return body


def _results(tx: Connection, call: BulkCall, job_ids: Sequence[str]) -> list[BulkResult]:
    """The results of jobs in their order; one that the filter does not mean any more has none."""
    wanted = call.request.filter
    if call.request.action in _ALSO_OF_PARTS:
        search_family.lock_with_parts(tx, job_ids)
    narrowed = conditions(tx.dialect.name, filter_of(wanted)) if wanted is not None else ()
    rows = {row.job.id: row for row in store.lock_all(tx, job_ids, narrowed)}
    present = [rows[job_id] for job_id in job_ids if job_id in rows]
    results = {each.id: each for each in _refused_others(call, present)}
    own = [row for row in present if row.job.id not in results]
    each_result = each_alone if call.request.action in _BATCHES else all_together
    results |= {result.id: result for result in each_result(tx, call, own)}
    if wanted is None:
        results |= _results_of_missing(tx, call, [each for each in job_ids if each not in rows])
    return [results[job_id] for job_id in job_ids if job_id in results]


def _results_of_missing(
    tx: Connection, call: BulkCall, job_ids: Sequence[str]
) -> dict[str, BulkResult]:
    """By id: deleted, where this call came before and was cut off, else refused."""
    keys = {job_id: call.key_of(job_id) for job_id in job_ids}
    stored = idempotency.find_all(tx, [key for key in keys.values() if key is not None])
    return {
        job_id: BulkResult(id=job_id, ok=True)
        if key in stored and stored[key].body_sha256 == call.digest
        else refused(job_id, NotFound("no_such_job", f"there is no job {job_id}"))
        for job_id, key in keys.items()
    }


def _refused_others(call: BulkCall, rows: Sequence[StoredJob]) -> Iterator[BulkResult]:
    for row in rows:
        try:
            require_owner(call.by, row.job.id, row.job.submitted_by)
        except Forbidden as error:
            yield refused(row.job.id, error)
