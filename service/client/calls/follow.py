"""The calls that follow a job: its log, and its state until it has ended."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict
from tenacity import RetryCallState, stop_after_delay

from service.client.calls.responses import parse_response, path_segment, requested
from service.client.errors import ApiError, StillRunning, TrainyardError, is_transient
from service.client.flow import (
    Flow,
    Item,
    ItemFlow,
    pause,
    repeated,
    retries,
    retry_delay_seconds,
    send,
)
from service.contract.jobs import ENDED_JOBS, Job

PATIENCE_SECONDS = 60.0
"""How long a server may be away, as for a restart, without ending what follows a job."""

_T = TypeVar("_T")


class LogPart(BaseModel):
    """A part of a job's log; `end` is true if there is no text after `cursor` yet."""

    model_config = ConfigDict(frozen=True)

    text: str
    cursor: str
    end: bool


def logs(job_id: str, *, attempt: int | None = None, cursor: str | None = None) -> Flow[LogPart]:
    """The log of an attempt, by default the newest, after `cursor` or from its start."""
    query = {"attempt": attempt, "cursor": cursor}
    return requested(LogPart, "GET", f"{_path(job_id)}/logs", query=query)


def log_text(job_id: str, *, attempt: int | None = None) -> ItemFlow[str]:
    """The text of an attempt's log, by default the newest, up to its present end, in parts."""
    cursor = None
    while True:
        part = yield from logs(job_id, attempt=attempt, cursor=cursor)
        yield Item(part.text)
        cursor = part.cursor
        if part.end or not part.text:
            return


def follow_log(
    job_id: str, *, attempt: int | None = None, poll_seconds: float = 0.5
) -> ItemFlow[str]:
    """The text of an attempt's log as it is written, until the attempt has ended.

    Without `attempt` it begins with the newest attempt, goes on with each later one, and ends with
    the job. A server that is away for less than a minute is asked again.
    """
    number, cursor = attempt, None
    while True:
        job = yield from patiently(lambda: requested(Job, "GET", _path(job_id), repeats=False))
        number = number or job.attempt or None
        # Known before the log is read, so that what is read then includes the last line.
        has_ended = job.state in ENDED_JOBS or (number is not None and job.attempt > number)
        if number is not None:
            while (part := (yield from _log_part(job_id, number, cursor))) is not None:
                cursor = part.cursor
                yield Item(part.text)
                if part.end or not part.text:
                    break
        if not has_ended:
            yield from pause(poll_seconds)
        elif number is None or attempt is not None or number >= job.attempt:
            return
        else:
            number, cursor = number + 1, None


def wait(
    job_id: str,
    on_change: Callable[[Job], object] = lambda _: None,
    *,
    timeout_seconds: float | None = None,
    poll_seconds: float = 0.5,
) -> Flow[Job]:
    """Poll a job until it has ended, and return it.

    `on_change` is called with the job when it is first read and after each change. A server that is
    away for less than a minute is asked again. Raises StillRunning after `timeout_seconds`; then,
    and when it is interrupted, the job goes on.
    """
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    etag: str | None = None
    while True:
        response = yield from _changed_job(job_id, etag, deadline)
        if response is not None:
            etag = response.headers.get("etag", etag)
        if response is not None and response.status_code != httpx.codes.NOT_MODIFIED:
            job = parse_response(Job, response)
            on_change(job)
            if job.state in ENDED_JOBS:
                return job
        left = poll_seconds if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise StillRunning(
                f"{job_id} has not ended within {timeout_seconds:g} s; it goes on: wait longer, or "
                "cancel it"
            )
        yield from pause(min(poll_seconds, left))


def wait_until_end(
    job_id: str,
    timeout: float | None = None,
    *,
    on_change: Callable[[Job], object] = lambda _: None,
    poll_seconds: float = 0.5,
) -> Flow[Job]:
    """Wait until the job has ended, whether it succeeded or not; the job then has its last state.

    `on_change` is called with the job when it is first read and after each change. A server that is
    away for less than a minute is asked again. Raises StillRunning after `timeout` seconds; then,
    and when it is interrupted, the job goes on.
    """
    return wait(job_id, on_change, timeout_seconds=timeout, poll_seconds=poll_seconds)


def log(job_id: str, *, follow: bool = False, attempt: int | None = None) -> ItemFlow[str]:
    """The text of the log in parts, of the newest attempt or of one; printed, it is the whole text.

    With `follow` it goes on as the log is written, until the job or the attempt has ended.
    """
    if follow:
        return follow_log(job_id, attempt=attempt)
    return log_text(job_id, attempt=attempt)


def _changed_job(
    job_id: str, etag: str | None, deadline: float | None
) -> Flow[httpx.Response | None]:
    """The answer, of status 304 without a change; None if the deadline came before it."""
    headers = {"If-None-Match": etag} if etag else {}
    left = PATIENCE_SECONDS if deadline is None else max(deadline - time.monotonic(), 0.0)
    try:
        return (
            yield from patiently(
                lambda: send("GET", _path(job_id), headers=headers, repeats=False), left
            )
        )
    except TrainyardError as error:
        if not is_transient(error) or left >= PATIENCE_SECONDS:
            raise
        return None


def _log_part(job_id: str, attempt: int, cursor: str | None) -> Flow[LogPart | None]:
    """The part of the log after `cursor`; None if the attempt has no log."""
    query = {"attempt": attempt, "cursor": cursor}
    path = f"{_path(job_id)}/logs"
    try:
        return (
            yield from patiently(
                lambda: requested(LogPart, "GET", path, query=query, repeats=False)
            )
        )
    except ApiError as error:
        if error.code != "no_log":
            raise
        return None


def patiently(call: Callable[[], Flow[_T]], limit_seconds: float | None = None) -> Flow[_T]:
    """The result of `call`, which is repeated while the server is away: the one rule of all calls
    that follow something.

    Raises what the last try raised, after PATIENCE_SECONDS or `limit_seconds` if that is less.
    """
    limit = min(PATIENCE_SECONDS if limit_seconds is None else limit_seconds, PATIENCE_SECONDS)

    def pause_seconds(state: RetryCallState) -> float:
        return min(retry_delay_seconds(state), max(limit - (state.seconds_since_start or 0.0), 0.0))

    return repeated(call, retries(stop_after_delay(limit), pause_seconds))


def _path(job_id: str) -> str:
    return f"/jobs/{path_segment(job_id)}"
