"""Submissions that come at the same time are stored by one transaction, and each by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError

from service.contract.jobs import Job
from service.contract.request_origin import RequestOrigin
from service.contract.specs import AnySpec
from service.control.jobs import views
from service.control.jobs.new_jobs import NewJob, SubmissionKey, store
from service.control.jobs.submission import SubmissionResult, checked_job, earlier_submission
from service.control.scheduling import present_catalogs
from service.control.scheduling.class_limit import check_class_limit
from service.domain.access import SERVER, Caller
from service.domain.errors import NotFound, TrainyardError
from service.store import idempotency
from service.store.engine import Database
from service.store.idempotency import StoredKey
from service.store.outages import is_deadlock, is_outage


@dataclass(frozen=True)
class SubmissionRequest:
    """One call of a user: the specification, its idempotency key, the id for a new job.

    The group is stored for many requests: what the others find of the one that is being answered
    comes with each call.
    """

    spec: AnySpec
    key: str | None
    job_id: str
    now: datetime
    request_id: str | None = None
    traceparent: str | None = None
    by: Caller = SERVER
    origin: RequestOrigin | None = None


@dataclass(frozen=True)
class SubmittedJob:
    """A job as its users see it; `replayed` if an earlier call with the same key made it."""

    job: Job
    replayed: bool


Outcome = SubmittedJob | Exception
"""What a call is answered with; an exception is this call's own."""


_Result = NewJob | SubmissionResult | Exception


def commit_group(database: Database, requests: Sequence[SubmissionRequest]) -> list[Outcome]:
    """Store the jobs of some submissions durably, by one transaction; the outcome of each.

    What one of them is refused for keeps no other from being stored. Raises DBAPIError and
    TimeoutError for a database that cannot be reached.
    """
    results = _stored(database, requests)
    try:
        with database.read() as tx:
            drawn = views.new_job_views(tx, [r.stored for r in results if isinstance(r, NewJob)])
            return [_outcome(tx, result, drawn) for result in results]
    except (DBAPIError, TimeoutError) as error:
        # What is stored is answered as stored: nobody is told that nothing was changed.
        return [_undrawn(result, error) for result in results]


def is_database_outage(error: Exception) -> bool:
    """Whether an error that `commit_group` raises would meet any other group now, too."""
    if not isinstance(error, DBAPIError | TimeoutError):
        return False
    return is_outage(error) and not is_deadlock(error)


def _stored(database: Database, requests: Sequence[SubmissionRequest]) -> list[_Result]:
    try:
        return _stored_together(database, requests)
    except IntegrityError:
        if len(requests) == 1:
            # A concurrent call with the same key was faster: now its job is found.
            return _stored_together(database, requests)
    except (DBAPIError, TimeoutError) as error:
        if len(requests) == 1 or is_database_outage(error):
            raise
    except Exception:
        if len(requests) == 1:
            raise
    return _stored_in_turn(database, requests)


def _stored_in_turn(database: Database, requests: Sequence[SubmissionRequest]) -> list[_Result]:
    results: list[_Result] = []
    outage: Exception | None = None
    for request in requests:
        # At an outage each would wait for the database by itself.
        result = outage or _stored_alone(database, request)
        if isinstance(result, Exception) and is_database_outage(result):
            outage = result
        results.append(result)
    return results


def _stored_alone(database: Database, request: SubmissionRequest) -> _Result:
    try:
        return _stored(database, [request])[0]
    except Exception as error:
        return error


def _stored_together(database: Database, requests: Sequence[SubmissionRequest]) -> list[_Result]:
    with database.write() as tx:
        before = idempotency.find_all(tx, {each.key for each in requests if each.key is not None})
        new: list[NewJob] = []
        with present_catalogs.read_once(tx):
            results = [_checked(tx, request, before, new) for request in requests]
        if new:
            store(tx, new)
    return results


def _checked(
    tx: Connection,
    request: SubmissionRequest,
    before: Mapping[str, StoredKey],
    new: list[NewJob],
) -> _Result:
    """The new job, which is added to those that are `new`, or the one of an earlier call."""
    key = SubmissionKey(request.key, request.spec.model_dump_json())
    try:
        earlier = earlier_submission(tx, request.spec, key, before.get(request.key or ""))
        if earlier is not None:
            return earlier
        job = checked_job(
            tx, request.spec, key, job_id=request.job_id, now=request.now, by=request.by
        )
        check_class_limit(tx, job.needs, [each.needs for each in new])
    except TrainyardError as error:
        return error
    job = replace(
        job,
        request_id=request.request_id,
        traceparent=request.traceparent,
        origin=request.origin,
    )
    new.append(job)
    return job


def _outcome(tx: Connection, result: _Result, drawn: Mapping[str, Job]) -> Outcome:
    if isinstance(result, NewJob):
        return SubmittedJob(drawn[result.job.id], replayed=False)
    if isinstance(result, SubmissionResult):
        try:
            return SubmittedJob(views.get(tx, result.job_id), replayed=True)
        except NotFound as error:
            return error
    return result


def _undrawn(result: _Result, error: Exception) -> Outcome:
    if isinstance(result, NewJob):
        return SubmittedJob(result.job, replayed=False)
    return result if isinstance(result, Exception) else error
